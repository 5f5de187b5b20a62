-- name: O12 retention_status
-- title: Is every table kept as long as the policy says, and no longer?
-- audience: O, Q
-- role: operator
-- param: as_of timestamptz = now
-- columns: relation, keep, owner, oldest, overdue, last_run_at, chunks_dropped, last_error, reason
-- notes: One row a policy. overdue: a whole chunk is older than the policy by more than a day, which
--        its owner should have dropped. oldest is the start of the oldest chunk, NULL for a table
--        without any.
select
    policy.relation,
    policy.keep,
    policy.owner,
    chunk.oldest,
    policy.owner <> 'nobody' and coalesce(
        chunk.first_end < %(as_of)s::timestamptz - policy.keep - interval '1 day', false
    ) as overdue,
    policy.last_run_at,
    policy.chunks_dropped,
    policy.last_error,
    policy.reason
from ops.retention_policy as policy
left join lateral (
    select min(part.range_start) as oldest, min(part.range_end) as first_end
    from timescaledb_information.chunks as part
    where format('%%I.%%I', part.hypertable_schema, part.hypertable_name) = policy.relation
) as chunk on true
order by policy.relation
