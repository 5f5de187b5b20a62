-- name: M01 pm_due_calendar
-- title: Which preventive maintenance comes due in the next days, by week and technician?
-- audience: B
-- param: days int = 30
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: week, technician, due_on, asset_tag, name, procedure, strategy, high_risk, pm_status,
--          estimated_hours, facility, room
-- notes: One row a schedule, due from today on; what is overdue is in pm_overdue. week is its
--        Monday; technician NULL: nobody is assigned.
with plan as materialized (
    select *
    from reporting.f_v_pm_schedule(%(as_of)s::timestamptz)
)
select
    date_trunc('week', plan.due_on::timestamp)::date as week,
    technician.display_name as technician,
    plan.due_on,
    asset.asset_tag,
    asset.name,
    plan.procedure,
    plan.strategy,
    plan.high_risk,
    plan.pm_status,
    procedure.estimated_hours,
    asset.facility,
    plan.room
from plan
join reporting.v_asset_register as asset on asset.asset_id = plan.asset_id
join maintenance.schedule on schedule.id = plan.schedule_id
join maintenance.procedure on procedure.id = schedule.procedure_id
left join registry.user_account as technician on technician.id = schedule.technician_id
where plan.days_to_due between 0 and %(days)s::int
    and (%(facility)s::text is null or asset.facility = %(facility)s::text)
order by week, technician nulls last, plan.due_on, asset.asset_tag
