-- Is what must be calibrated calibrated? One row an asset and calibration schedule; an asset whose
-- model asks for calibration and that has no schedule has one row as well.
create function reporting.f_v_calibration_status(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, last_done date, due_on date,
    standard_used text, result text, status text, traceable boolean, schedule_id uuid
)
language sql stable parallel safe
begin atomic
    select
        asset.organization_id,
        asset.facility_id,
        asset.id,
        newest.performed_on,
        due.due_on,
        newest.reference_standard,
        newest.result::text,
        case
            when newest.result <> 'FAIL' and newest.reference_due_on < newest.performed_on
            then 'NOT_TRACEABLE'
            else reporting.status_by_date(
                newest.performed_on, newest.result <> 'FAIL', due.due_on,
                coalesce(own.calibration_days_before, usual.calibration_days_before, 30), local.day
            )
        end,
        newest.reference_due_on >= newest.performed_on,
        schedule.id
    from registry.asset
    join registry.facility on facility.id = asset.facility_id
    cross join lateral (
        select (as_of at time zone facility.time_zone)::date as day
    ) as local
    left join registry.device_model as model on model.id = asset.device_model_id
    left join maintenance.schedule
        on schedule.organization_id = asset.organization_id
        and schedule.asset_id = asset.id
        and schedule.kind = 'CALIBRATION'
        and schedule.deleted_at is null
        and (schedule.ends_on is null or schedule.ends_on >= local.day)
    left join registry.alert_policy as own
        on own.id = asset.alert_policy_id and own.deleted_at is null
    left join registry.alert_policy as usual
        on usual.organization_id = asset.organization_id
        and usual.is_default and usual.deleted_at is null
    left join lateral (
        select calibration.*
        from maintenance.calibration
        where calibration.organization_id = asset.organization_id
            and calibration.asset_id = asset.id
            -- One that names no schedule counts for each.
            and (calibration.schedule_id is null or schedule.id is null
                or calibration.schedule_id = schedule.id)
            and calibration.performed_on <= local.day
            and calibration.deleted_at is null
        order by calibration.performed_on desc, calibration.created_at desc
        limit 1
    ) as newest on true
    cross join lateral (
        select coalesce(
            newest.next_due_on, newest.performed_on + schedule.interval_days, schedule.starts_on
        ) as due_on
    ) as due
    where asset.deleted_at is null
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        and (schedule.id is not null or model.requires_calibration or newest.id is not null);
end;
comment on function reporting.f_v_calibration_status(timestamptz) is
    'v_calibration_status as of a time.';
grant execute on function reporting.f_v_calibration_status(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_calibration_status with (security_invoker = true) as
select * from reporting.f_v_calibration_status(now());

comment on view reporting.v_calibration_status is
    'One row an asset that must be or was calibrated, and schedule.';
comment on column reporting.v_calibration_status.standard_used is
    'The reference standard of the newest calibration.';
comment on column reporting.v_calibration_status.status is
    'NEVER, FAILED, NOT_TRACEABLE (the standard itself was out of calibration), NO_DUE_DATE, '
    'OVERDUE, DUE (within the days of the alert policy) or CURRENT.';
comment on column reporting.v_calibration_status.traceable is
    'The standard was in calibration then; NULL: not recorded.';
grant select on reporting.v_calibration_status to biotrakr_analyst, biotrakr_app;
