-- Is every asset electrically safe, by its newest test? One row an asset that is scheduled for
-- inspection or was ever tested.
create function reporting.f_v_safety_inspection_status(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, standard text, last_test date,
    result text, earth_mohm numeric, leakage_ua numeric, limit_ua numeric, due_on date,
    status text, inspection_id uuid
)
language sql stable parallel safe
begin atomic
    -- Once for all assets: the most frequent schedule of each.
    with planned as materialized (
        select distinct on (schedule.asset_id)
            schedule.asset_id, schedule.interval_days, schedule.starts_on
        from maintenance.schedule
        join registry.asset on asset.id = schedule.asset_id
        join registry.facility on facility.id = asset.facility_id
        where schedule.kind = 'INSPECTION'
            and schedule.deleted_at is null
            and (
                schedule.ends_on is null
                or schedule.ends_on >= (as_of at time zone facility.time_zone)::date
            )
        order by schedule.asset_id, schedule.interval_days
    )
    select
        asset.organization_id,
        asset.facility_id,
        asset.id,
        standard.code || ' ' || standard.edition,
        newest.performed_on,
        newest.result::text,
        measured.earth_mohm,
        measured.leakage_ua,
        measured.limit_ua,
        due.due_on,
        reporting.status_by_date(
            newest.performed_on, newest.result <> 'FAIL', due.due_on,
            coalesce(own.pm_days_before, usual.pm_days_before, 14), local.day
        ),
        newest.id
    from registry.asset
    join registry.facility on facility.id = asset.facility_id
    cross join lateral (
        select (as_of at time zone facility.time_zone)::date as day
    ) as local
    left join registry.alert_policy as own
        on own.id = asset.alert_policy_id and own.deleted_at is null
    left join registry.alert_policy as usual
        on usual.organization_id = asset.organization_id
        and usual.is_default and usual.deleted_at is null
    left join planned on planned.asset_id = asset.id
    left join lateral (
        select inspection.*
        from compliance.inspection
        where inspection.organization_id = asset.organization_id
            and inspection.asset_id = asset.id
            and inspection.kind = 'ELECTRICAL_SAFETY'
            and inspection.performed_on <= local.day
            and inspection.deleted_at is null
        order by inspection.performed_on desc, inspection.created_at desc
        limit 1
    ) as newest on true
    left join compliance.standard on standard.id = newest.standard_id
    left join lateral (
        select
            max(measurement.value) filter (
                where measurement.test = 'EARTH_RESISTANCE' and measurement.unit = 'mOhm'
            ) as earth_mohm,
            max(measurement.value) filter (where measurement.test = 'EQUIPMENT_LEAKAGE')
                as leakage_ua,
            -- The limit that belongs to the highest leakage.
            (array_agg(measurement.limit_value order by measurement.value desc) filter (
                where measurement.test = 'EQUIPMENT_LEAKAGE'
            ))[1] as limit_ua
        from compliance.measurement
        where measurement.organization_id = asset.organization_id
            and measurement.inspection_id = newest.id
            and measurement.deleted_at is null
            and (measurement.test = 'EARTH_RESISTANCE' or measurement.unit = 'uA')
    ) as measured on true
    cross join lateral (
        select coalesce(
            newest.next_due_on, newest.performed_on + planned.interval_days, planned.starts_on
        ) as due_on
    ) as due
    where asset.deleted_at is null
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        and (planned.starts_on is not null or newest.id is not null);
end;
comment on function reporting.f_v_safety_inspection_status(timestamptz) is
    'v_safety_inspection_status as of a time.';
grant execute on function reporting.f_v_safety_inspection_status(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_safety_inspection_status with (security_invoker = true) as
select * from reporting.f_v_safety_inspection_status(now());

comment on view reporting.v_safety_inspection_status is
    'One row an asset that is scheduled for inspection or was tested.';
comment on column reporting.v_safety_inspection_status.standard is
    'Code and edition that the newest test went by.';
comment on column reporting.v_safety_inspection_status.earth_mohm is
    'Highest protective earth resistance measured, milliohms.';
comment on column reporting.v_safety_inspection_status.leakage_ua is
    'Highest equipment leakage measured, microamperes; limit_ua: the limit used then.';
comment on column reporting.v_safety_inspection_status.status is
    'NEVER, FAILED, NO_DUE_DATE, OVERDUE, DUE or CURRENT.';
grant select on reporting.v_safety_inspection_status to biotrakr_analyst, biotrakr_app;
