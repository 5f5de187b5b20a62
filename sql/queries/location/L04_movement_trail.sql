-- name: L04 movement_trail
-- title: Through which rooms did this asset go?
-- audience: B, N
-- param: tag text
-- param: from timestamptz = now - 7 days
-- param: to timestamptz = now
-- columns: entered_at, left_at, minutes, facility, building, floor, room, room_name, initial,
--          entry_reason, exit_reason, confidence
-- notes: One row a visit that touches the time, in order. Without left_at it is still there, and the
--        minutes count to the end of the time asked for.
select
    visit.entered_at,
    visit.left_at,
    round(extract(epoch from
        least(coalesce(visit.left_at, %(to)s::timestamptz), %(to)s::timestamptz)
        - greatest(visit.entered_at, %(from)s::timestamptz)
    ) / 60, 1) as minutes,
    facility.code as facility,
    building.code as building,
    floor.code as floor,
    room.code as room,
    room.name as room_name,
    visit.initial,
    visit.entry_reason,
    visit.exit_reason,
    visit.confidence
from tracking.room_visit as visit
join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
join registry.facility on facility.id = visit.facility_id
join registry.room on room.id = visit.room_id
join registry.floor on floor.id = room.floor_id
join registry.building on building.id = floor.building_id
where asset.tag_number = %(tag)s::text
    and visit.entered_at < %(to)s::timestamptz
    and coalesce(visit.left_at, 'infinity') > %(from)s::timestamptz
order by visit.entered_at, visit.building_id
