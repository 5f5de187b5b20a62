-- name: C15 audit_gaps
-- title: Where has the audit trail a hole, and which days has nobody examined?
-- audience: Q, O
-- param: from date = today - 30 days
-- param: to date = today
-- columns: problem, subject, detail
-- notes: One row a finding; none is good. NO_ROW_SECURITY and NO_AUDIT_TRIGGER: a table of tenants
--        without it. UNREVIEWED_DAY: a day (UTC, from .. to) with entries that no review covers.
--        SEQUENCE_GAP: entries are missing. ANCHOR_BROKEN: an entry is not what a review noted.
--        Whether entries were altered is for "biotrakr audit verify", which reckons every hash.
with tenant_table as (
    select
        class.oid,
        class.oid::regclass::text as name,
        class.relrowsecurity,
        class.relforcerowsecurity
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as space on space.oid = class.relnamespace
    where class.relkind = 'r'
        and space.nspname in (
            'registry', 'tracking', 'maintenance', 'compliance', 'finance', 'prediction', 'audit'
        )
        and exists (
            select from pg_catalog.pg_attribute as attribute
            where attribute.attrelid = class.oid
                and attribute.attname = 'organization_id' and not attribute.attisdropped
        )
        -- A name alone (no organization) must not tell that there are findings.
        and exists (select from registry.organization)
),
day as (
    select
        day::date as day,
        day at time zone 'UTC' as starts_at,
        (day + interval '1 day') at time zone 'UTC' as ends_at
    from generate_series(
        %(from)s::date::timestamp, %(to)s::date::timestamp, interval '1 day'
    ) as day
),
ordered as (
    select sequence, lag(sequence) over (order by sequence) as previous, at
    from audit.log
)
select
    'NO_ROW_SECURITY' as problem,
    name as subject,
    'row security is not enabled and forced' as detail
from tenant_table
where not (relrowsecurity and relforcerowsecurity)
union all
select 'NO_AUDIT_TRIGGER', tenant_table.name, 'changes leave no trace'
from tenant_table
where tenant_table.name !~ '^tracking\.' -- written by the dataflow: they are the log themselves
    and tenant_table.name not in (
        -- The trail itself, a counter, and what jobs reckon again and again.
        'audit.log', 'registry.facility_revision', 'registry.asset_metric',
        'prediction.risk_current'
    )
    and not exists (
        select from pg_catalog.pg_trigger as hook
        join pg_catalog.pg_proc as called on called.oid = hook.tgfoid
        where hook.tgrelid = tenant_table.oid
            and called.proname = 'record' and hook.tgenabled in ('O', 'A')
    )
union all
select 'UNREVIEWED_DAY', day.day::text, entries.count || ' entries'
from day
cross join lateral (
    select count(*) as count
    from audit.log
    where log.at >= day.starts_at and log.at < day.ends_at
) as entries
where entries.count > 0
    and not exists (
        select from audit.review
        where review.from_at <= day.starts_at and review.until_at >= day.ends_at
    )
union all
select 'SEQUENCE_GAP', sequence::text, 'follows ' || coalesce(previous::text, 'nothing')
from ordered
where sequence <> coalesce(previous, 0) + 1
union all
select
    'ANCHOR_BROKEN',
    review.head_sequence::text,
    'differs from the review of ' || review.reviewed_at
from audit.review
left join audit.log
    on log.organization_id = review.organization_id and log.sequence = review.head_sequence
where review.head_sequence is not null
    and log.hash is distinct from review.head_hash
order by problem, subject
