-- name: M03 pm_due_and_locatable
-- title: Which devices due for maintenance can be fetched now, in the order of a walk?
-- audience: B
-- param: facility text = null
-- param: seen_within interval = 4 hours
-- param: as_of timestamptz = now
-- columns: facility, building, floor, room, asset_tag, name, procedure, due_on, pm_status,
--          estimated_hours, state, last_seen_at
-- notes: One row a schedule that is due, in grace or overdue, of a device that was seen lately and
--        is not in use or under repair. Ordered by building, floor and room: a route.
with plan as materialized (
    select *
    from reporting.f_v_pm_schedule(%(as_of)s::timestamptz)
    where pm_status <> 'COMPLIANT'
),
availability as materialized (
    select asset_id, state
    from reporting.f_v_asset_availability(%(as_of)s::timestamptz)
    where state in ('AVAILABLE', 'CLEANING', 'UNKNOWN')
)
select
    site.code as facility,
    building.code as building,
    floor.name as floor,
    plan.room,
    asset.asset_tag,
    asset.name,
    plan.procedure,
    plan.due_on,
    plan.pm_status,
    procedure.estimated_hours,
    availability.state,
    place.last_seen_at
from plan
join reporting.v_asset_register as asset on asset.asset_id = plan.asset_id
join maintenance.schedule on schedule.id = plan.schedule_id
join maintenance.procedure on procedure.id = schedule.procedure_id
join tracking.asset_location_current as place on place.asset_id = plan.asset_id
join registry.facility as site on site.id = place.facility_id
join registry.building on building.id = place.building_id
left join registry.floor on floor.id = place.floor_id
join availability on availability.asset_id = plan.asset_id
where place.last_seen_at > %(as_of)s::timestamptz - %(seen_within)s::interval
    and (%(facility)s::text is null or site.code = %(facility)s::text)
order by site.code, building.code, floor.level, plan.room, plan.due_on, asset.asset_tag
