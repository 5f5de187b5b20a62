-- How much of the preventive maintenance of a month was done, as accreditation counts it?
--
-- A month has what came due in it, by risk and strategy. "Could not be located" and "was in use"
-- are no completions. Left out: what was cancelled, and what came due after the asset was retired
-- or disposed of. Nothing due: no row, and no percentage of nothing.
create function reporting.f_v_pm_compliance_monthly(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, month date, facility text, risk_group text,
    strategy text, scheduled bigint, completed bigint, on_time bigint, not_located bigint,
    in_use bigint, other_missed bigint, completion_pct numeric, on_time_pct numeric, pending bigint
)
language sql stable parallel safe
begin atomic
    select
        counted.organization_id,
        counted.facility_id,
        counted.month,
        counted.facility,
        case when counted.high_risk then 'HIGH_RISK' else 'OTHER' end,
        counted.strategy,
        counted.scheduled,
        counted.completed,
        counted.on_time,
        counted.not_located,
        counted.in_use,
        counted.scheduled - counted.completed - counted.not_located - counted.in_use
            - counted.pending,
        round(100.0 * counted.on_time / nullif(counted.scheduled, 0), 2),
        round(100.0 * counted.on_time / nullif(counted.completed, 0), 2),
        counted.pending
    from (
        select
            due.organization_id,
            due.facility_id,
            due.month,
            due.facility,
            due.high_risk,
            due.strategy,
            count(*) as scheduled,
            count(*) filter (where due.done) as completed,
            count(*) filter (where due.done and due.completed_on <= due.grace_until) as on_time,
            count(*) filter (where not due.done and due.outcome = 'NOT_LOCATED') as not_located,
            count(*) filter (where not due.done and due.outcome = 'IN_USE') as in_use,
            count(*) filter (
                where not due.done and due.outcome in ('OPEN', 'COMPLETED')
                    and due.grace_until >= due.day
            ) as pending
        from (
            select
                occurrence.organization_id,
                asset.facility_id,
                facility.code as facility,
                date_trunc('month', occurrence.due_on::timestamp)::date as month,
                reporting.is_high_risk(
                    asset.category, asset.criticality, model.risk_class, kind.is_life_support
                ) as high_risk,
                schedule.strategy::text as strategy,
                occurrence.outcome,
                occurrence.completed_on,
                occurrence.grace_until,
                local.day,
                coalesce(occurrence.completed_on <= local.day, false) as done
            from maintenance.occurrence
            join maintenance.schedule on schedule.id = occurrence.schedule_id
            join registry.asset on asset.id = occurrence.asset_id
            join registry.facility on facility.id = asset.facility_id
            cross join lateral (
                select (as_of at time zone facility.time_zone)::date as day
            ) as local
            left join registry.device_model as model on model.id = asset.device_model_id
            left join registry.device_type as kind on kind.id = model.device_type_id
            left join finance.disposal
                on disposal.organization_id = asset.organization_id
                and disposal.asset_id = asset.id and disposal.deleted_at is null
            where schedule.kind = 'PM'
                and occurrence.deleted_at is null
                and asset.deleted_at is null
                and occurrence.outcome <> 'CANCELLED'
                and occurrence.due_on <= local.day
                and (asset.retired_on is null or asset.retired_on >= occurrence.due_on)
                and (disposal.disposed_on is null or disposal.disposed_on >= occurrence.due_on)
        ) as due
        group by
            due.organization_id, due.facility_id, due.facility, due.month, due.high_risk,
            due.strategy
    ) as counted;
end;
comment on function reporting.f_v_pm_compliance_monthly(timestamptz) is
    'v_pm_compliance_monthly as of a time.';
grant execute on function reporting.f_v_pm_compliance_monthly(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_pm_compliance_monthly with (security_invoker = true) as
select * from reporting.f_v_pm_compliance_monthly(now());

comment on view reporting.v_pm_compliance_monthly is
    'One row a month, facility, risk group and strategy in which preventive maintenance came due.';
comment on column reporting.v_pm_compliance_monthly.month is
    'First day of the month in which it came due.';
comment on column reporting.v_pm_compliance_monthly.risk_group is 'HIGH_RISK or OTHER.';
comment on column reporting.v_pm_compliance_monthly.completed is 'Done at all, also late.';
comment on column reporting.v_pm_compliance_monthly.on_time is 'Done within its grace.';
comment on column reporting.v_pm_compliance_monthly.other_missed is
    'Vendor, parts, other reasons, and open beyond the grace.';
comment on column reporting.v_pm_compliance_monthly.completion_pct is
    '100 on_time / scheduled: completed in the window, as accreditation asks.';
comment on column reporting.v_pm_compliance_monthly.on_time_pct is
    '100 on_time / completed; NULL when nothing was completed.';
comment on column reporting.v_pm_compliance_monthly.pending is
    'Due, not done, and still within its grace: neither completed nor missed.';
grant select on reporting.v_pm_compliance_monthly to biotrakr_analyst, biotrakr_app;
