-- name: L11 dwell_by_room
-- title: How long do things stay in which room?
-- audience: N
-- param: from timestamptz = now - 7 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: facility, building, floor, room, category, assets, visits, total_h, median_min
-- notes: One row a room and category. Visits count as far as they lie in the time; the median is of
--        visits that both began and ended in it, so it is NULL where none did.
select
    facility.code as facility,
    building.code as building,
    floor.code as floor,
    room.code as room,
    asset.category,
    count(distinct visit.asset_id) as assets,
    count(*) as visits,
    round((sum(extract(epoch from
        least(coalesce(visit.left_at, 'infinity'), %(to)s::timestamptz)
        - greatest(visit.entered_at, %(from)s::timestamptz)
    )) / 3600)::numeric, 2) as total_h,
    round((percentile_cont(0.5) within group (
        order by extract(epoch from visit.left_at - visit.entered_at)
    ) filter (
        where visit.entered_at >= %(from)s::timestamptz and visit.left_at <= %(to)s::timestamptz
    ) / 60)::numeric, 1) as median_min
from tracking.room_visit as visit
join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
join registry.facility on facility.id = visit.facility_id
join registry.room on room.id = visit.room_id
join registry.floor on floor.id = room.floor_id
join registry.building on building.id = floor.building_id
where visit.entered_at < %(to)s::timestamptz
    and coalesce(visit.left_at, 'infinity') > %(from)s::timestamptz
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by facility.code, building.code, floor.code, room.code, asset.category
order by facility.code, building.code, floor.code, room.code, asset.category
