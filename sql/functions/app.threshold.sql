-- A limit of reports by name. One of this facility and type wins over one of the facility, that over
-- one of the type, that over the organization's; none: the fallback that the report brings along.
create or replace function app.threshold(
    wanted text, facility uuid, device_type uuid, fallback numeric
) returns numeric
language sql stable parallel safe
set search_path = pg_catalog
as $$
    select coalesce(
        (
            select limits.value
            from registry.threshold as limits
            where limits.name = wanted
                and limits.deleted_at is null
                and (limits.facility_id is null or limits.facility_id = facility)
                and (limits.device_type_id is null or limits.device_type_id = device_type)
            order by limits.facility_id nulls last, limits.device_type_id nulls last
            limit 1
        ),
        fallback
    )
$$;
comment on function app.threshold(text, uuid, uuid, numeric) is
    'registry.threshold by name for a facility and device type, or the fallback.';
grant execute on function app.threshold(text, uuid, uuid, numeric)
    to biotrakr_analyst, biotrakr_app, biotrakr_backup;
