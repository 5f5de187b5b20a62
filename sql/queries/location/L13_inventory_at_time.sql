-- name: L13 inventory_at_time
-- title: What was in this room or unit at that time?
-- audience: Q
-- param: at timestamptz = now
-- param: facility text = null
-- param: room text = null
-- param: department text = null
-- columns: facility, building, floor, room, department, asset_tag, name, category, entered_at,
--          left_at, initial, confidence
-- notes: One row an asset; an asset that moved between buildings at that time may be in two rooms.
--        Facility, room and department are codes. Deleted assets are left out, retired ones are not.
select
    facility.code as facility,
    building.code as building,
    floor.code as floor,
    room.code as room,
    department.code as department,
    asset.tag_number as asset_tag,
    asset.name,
    asset.category,
    visit.entered_at,
    visit.left_at,
    visit.initial,
    visit.confidence
from tracking.room_visit as visit
join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
join registry.facility on facility.id = visit.facility_id
join registry.room on room.id = visit.room_id
join registry.floor on floor.id = room.floor_id
join registry.building on building.id = floor.building_id
left join registry.department on department.id = room.department_id
where visit.entered_at <= %(at)s::timestamptz
    and coalesce(visit.left_at, 'infinity') > %(at)s::timestamptz
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
    and (%(room)s::text is null or room.code = %(room)s::text)
    and (%(department)s::text is null or department.code = %(department)s::text)
order by facility.code, building.code, floor.code, room.code, asset.tag_number
