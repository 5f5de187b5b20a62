-- When is which preventive maintenance due? One row a schedule of an asset that is in use.
--
-- Due is the first time since the last completion that was not completed: what was not located or
-- in use then is due until it is done. Days are those of the owning facility's clock.
create function reporting.f_v_pm_schedule(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, procedure text, strategy text,
    interval_days integer, last_done date, due_on date, grace_until date, days_to_due integer,
    pm_status text, high_risk boolean, room text, schedule_id uuid
)
language sql stable parallel safe
begin atomic
    select
        planned.organization_id,
        planned.facility_id,
        planned.asset_id,
        planned.procedure,
        planned.strategy,
        planned.interval_days,
        planned.last_done,
        planned.due_on,
        planned.grace_until,
        planned.due_on - planned.day,
        case
            when planned.day > planned.grace_until then case
                when planned.high_risk
                    or planned.day >= planned.due_on + planned.interval_days
                then 'CRITICAL'
                else 'OVERDUE'
            end
            when planned.day > planned.due_on then 'GRACE'
            when planned.day >= planned.due_on - planned.warn_days then 'DUE'
            else 'COMPLIANT'
        end,
        planned.high_risk,
        room.name,
        planned.schedule_id
    from (
        select
            schedule.organization_id,
            asset.facility_id,
            schedule.asset_id,
            procedure.name as procedure,
            schedule.strategy::text as strategy,
            schedule.interval_days,
            done.last_done,
            coalesce(missing.due_on, planned.due_on) as due_on,
            coalesce(
                missing.grace_until, reporting.grace_until(planned.due_on, procedure.grace_days)
            ) as grace_until,
            local.day,
            coalesce(own.pm_days_before, usual.pm_days_before, 14) as warn_days,
            reporting.is_high_risk(
                asset.category, asset.criticality, model.risk_class, kind.is_life_support
            ) as high_risk,
            schedule.id as schedule_id
        from maintenance.schedule
        join maintenance.procedure on procedure.id = schedule.procedure_id
        join registry.asset on asset.id = schedule.asset_id
        join registry.facility on facility.id = asset.facility_id
        cross join lateral (
            select (as_of at time zone facility.time_zone)::date as day
        ) as local
        left join registry.device_model as model on model.id = asset.device_model_id
        left join registry.device_type as kind on kind.id = model.device_type_id
        left join registry.alert_policy as own
            on own.id = asset.alert_policy_id and own.deleted_at is null
        left join registry.alert_policy as usual
            on usual.organization_id = asset.organization_id
            and usual.is_default and usual.deleted_at is null
        left join lateral (
            select
                max(occurrence.completed_on) filter (where occurrence.outcome = 'COMPLETED')
                    as last_done,
                max(occurrence.due_on) filter (where occurrence.outcome = 'COMPLETED') as due_on,
                max(occurrence.due_on) filter (where occurrence.outcome = 'CANCELLED')
                    as cancelled_on
            from maintenance.occurrence
            where occurrence.organization_id = schedule.organization_id
                and occurrence.schedule_id = schedule.id
                and (occurrence.completed_on <= local.day or occurrence.outcome = 'CANCELLED')
                and occurrence.deleted_at is null
        ) as done on true
        cross join lateral (
            -- What was cancelled is not made up for.
            select coalesce(
                greatest(done.last_done, done.cancelled_on) + schedule.interval_days,
                schedule.starts_on
            ) as due_on
        ) as planned
        left join lateral (
            select occurrence.due_on, occurrence.grace_until
            from maintenance.occurrence
            where occurrence.organization_id = schedule.organization_id
                and occurrence.schedule_id = schedule.id
                and (done.due_on is null or occurrence.due_on > done.due_on)
                and occurrence.outcome <> 'CANCELLED'
                and (occurrence.completed_on is null or occurrence.completed_on > local.day)
                and occurrence.deleted_at is null
            order by occurrence.due_on
            limit 1
        ) as missing on true
        where schedule.kind = 'PM'
            and schedule.deleted_at is null
            and (schedule.ends_on is null or schedule.ends_on >= local.day)
            and asset.deleted_at is null
            and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    ) as planned
    left join tracking.asset_location_current as place on place.asset_id = planned.asset_id
    left join registry.room on room.id = place.room_id;
end;
comment on function reporting.f_v_pm_schedule(timestamptz) is 'v_pm_schedule as of a time.';
grant execute on function reporting.f_v_pm_schedule(timestamptz) to biotrakr_analyst, biotrakr_app;

create view reporting.v_pm_schedule with (security_invoker = true) as
select * from reporting.f_v_pm_schedule(now());

comment on view reporting.v_pm_schedule is
    'One row a PM schedule of an asset that is not retired.';
comment on column reporting.v_pm_schedule.due_on is
    'The first time since the last completion that was not completed.';
comment on column reporting.v_pm_schedule.grace_until is 'The last day that is still on time.';
comment on column reporting.v_pm_schedule.days_to_due is 'Negative: days since it was due.';
comment on column reporting.v_pm_schedule.pm_status is
    'DUE: within the days of the alert policy; GRACE: after the due date; OVERDUE: after the '
    'grace; CRITICAL: overdue and high-risk, or by a whole interval.';
comment on column reporting.v_pm_schedule.high_risk is
    'Life support, critical to the organization, or class III.';
comment on column reporting.v_pm_schedule.room is 'Where it was last located.';
grant select on reporting.v_pm_schedule to biotrakr_analyst, biotrakr_app;
