-- name: C14 audit_privileged_access
-- title: Which entries of the audit trail deserve a second look?
-- audience: Q, O
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: time_zone text = UTC
-- param: day_starts_h int = 6
-- param: day_ends_h int = 20
-- columns: at, reasons, action, relation, row_id, login, role, person, client, request_id, reason,
--          sequence
-- notes: One row an entry, newest first. reasons: EXPORT; READ of what is confidential; RETENTION;
--        BYPASS_ROLE (acted as the owner, the backup or a superuser); UNKNOWN_USER (on behalf of
--        nobody of this organization); OUT_OF_HOURS (a person, at night or on a weekend in
--        time_zone).
with judged as (
    select
        entry.*,
        person.display_name as person,
        entry.at at time zone %(time_zone)s::text as local_at,
        array_remove(array[
            case when entry.action in ('EXPORT', 'READ', 'RETENTION') then entry.action end,
            case
                when entry.role in ('biotrakr_owner', 'biotrakr_backup', 'postgres')
                    or exists (
                        select from pg_catalog.pg_roles as held
                        where held.rolname = entry.role and (held.rolsuper or held.rolbypassrls)
                    )
                then 'BYPASS_ROLE'
            end,
            case when entry.user_id is not null and person.id is null then 'UNKNOWN_USER' end,
            case
                when entry.user_id is not null and (
                    extract(hour from entry.at at time zone %(time_zone)s::text)
                        < %(day_starts_h)s::int
                    or extract(hour from entry.at at time zone %(time_zone)s::text)
                        >= %(day_ends_h)s::int
                    or extract(isodow from entry.at at time zone %(time_zone)s::text) > 5
                ) then 'OUT_OF_HOURS'
            end
        ], null) as reasons
    from audit.log as entry
    left join registry.user_account as person on person.id = entry.user_id
    where entry.at >= %(from)s::timestamptz and entry.at < %(to)s::timestamptz
)
select
    at, reasons, action, relation, row_id, login, role, person, client, request_id, reason, sequence
from judged
where cardinality(reasons) > 0
order by sequence desc
