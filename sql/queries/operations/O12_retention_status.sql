-- name: O12 retention_status
-- title: Is every table kept as long as the policy says, and no longer?
-- audience: O, Q
-- role: operator
-- param: as_of timestamptz = now
-- columns: relation, keep, waits_for, oldest, overdue, last_run_at, last_outcome, chunks_dropped,
--          reason
-- notes: One row a policy. waits_for: the summary without which nothing is dropped, where this
--        edition does not keep it. overdue: otherwise, a whole chunk is older than the policy by
--        more than a day. oldest is the start of the oldest chunk, NULL for a table without any.
select
    policy.relation,
    policy.keep,
    case when not coalesce(summary.available, policy.summary is null) then policy.summary end
        as waits_for,
    chunk.oldest,
    coalesce(summary.available, policy.summary is null) and coalesce(
        chunk.first_end < %(as_of)s::timestamptz - policy.keep - interval '1 day', false
    ) as overdue,
    policy.last_run_at,
    policy.last_outcome,
    policy.chunks_dropped,
    policy.reason
from ops.retention_policy as policy
left join ops.capability as summary on summary.name = policy.summary
left join lateral (
    select min(part.range_start) as oldest, min(part.range_end) as first_end
    from timescaledb_information.chunks as part
    where format('%%I.%%I', part.hypertable_schema, part.hypertable_name) = policy.relation
) as chunk on true
order by policy.relation
