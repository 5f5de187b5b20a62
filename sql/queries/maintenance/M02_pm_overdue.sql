-- name: M02 pm_overdue
-- title: Which preventive maintenance is overdue, by how long, and who has the device?
-- audience: B
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, procedure, due_on, grace_until, days_overdue, pm_status, high_risk,
--          custodian, department, facility, room, last_seen_at
-- notes: One row a schedule past its grace, critical ones first. days_overdue counts from the due
--        date; room is where it was last located.
with plan as materialized (
    select *
    from reporting.f_v_pm_schedule(%(as_of)s::timestamptz)
)
select
    asset.asset_tag,
    asset.name,
    plan.procedure,
    plan.due_on,
    plan.grace_until,
    -plan.days_to_due as days_overdue,
    plan.pm_status,
    plan.high_risk,
    asset.custodian,
    asset.department,
    asset.facility,
    plan.room,
    place.last_seen_at
from plan
join reporting.v_asset_register as asset on asset.asset_id = plan.asset_id
left join tracking.asset_location_current as place on place.asset_id = plan.asset_id
where plan.pm_status in ('OVERDUE', 'CRITICAL')
    and (%(facility)s::text is null or asset.facility = %(facility)s::text)
order by plan.pm_status = 'CRITICAL' desc, plan.high_risk desc, plan.due_on, asset.asset_tag
