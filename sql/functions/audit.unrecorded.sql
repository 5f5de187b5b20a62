-- Which rows of an organization are not at the version that the trail knows last? Finds what was
-- written past the triggers, and a trail whose end was cut off. Rows from before there was a trail
-- have no record until their first change.
create or replace function audit.unrecorded(organization uuid)
returns table (relation text, row_id uuid, version integer, recorded integer)
language plpgsql stable
set search_path = pg_catalog
as $$
declare
    audited record;
begin
    for audited in
        select
            convert_from(substr(rule.tgargs, 1, length(rule.tgargs) - 1), 'UTF8') as name,
            rule.tgrelid::regclass as known,
            case when rule.tgrelid = 'registry.organization'::regclass
                then 'id' else 'organization_id' end as tenant
        from pg_trigger as rule
        where rule.tgfoid = to_regprocedure('audit.record()')
        order by 1
    loop
        return query execute format(
            'select %1$L, row.id, row.version, last.version
            from %2$s as row
            left join lateral (
                select entry.version
                from audit.log as entry
                where entry.organization_id = $1 and entry.relation = %1$L
                    and entry.row_id = row.id
                order by entry.sequence desc
                limit 1
            ) as last on true
            where row.%3$I = $1
                and row.version is distinct from last.version
                and (last.version is not null or row.version > 1
                    or row.created_at >= audit.began())',
            audited.name, audited.known, audited.tenant
        ) using organization;
    end loop;
end
$$;
comment on function audit.unrecorded(uuid) is
    'Rows whose version the audit trail does not know.';
grant execute on function audit.unrecorded(uuid) to biotrakr_app, biotrakr_backup;
