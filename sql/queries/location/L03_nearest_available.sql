-- name: L03 nearest_available
-- title: Where is the nearest free and clean unit of this type?
-- audience: N
-- param: type text
-- param: facility text
-- param: room text
-- param: building text = null
-- param: metres_per_floor numeric = 30
-- param: most int = 10
-- param: as_of timestamptz = now
-- columns: asset_tag, name, building, floor, room, floors_away, distance_m, last_seen_at
-- notes: One row an asset, nearest first. The distance is straight from the middle of the room, and
--        every floor between costs metres_per_floor. Buildings have planes of their own: what is in
--        another one comes last, without a distance. Rooms of the same code in several buildings:
--        say which building.
with origin as (
    select
        facility.id as facility_id,
        building.id as building_id,
        floor.level,
        middle.x,
        middle.y
    from registry.room
    join registry.floor on floor.id = room.floor_id
    join registry.building on building.id = floor.building_id
    join registry.facility on facility.id = building.facility_id
    cross join lateral (
        select
            avg((corner ->> 0)::double precision) as x,
            avg((corner ->> 1)::double precision) as y
        from jsonb_array_elements(room.polygon) as corner
    ) as middle
    where facility.code = %(facility)s::text
        and room.code = %(room)s::text
        and (%(building)s::text is null or building.code = %(building)s::text)
        and room.deleted_at is null
    order by building.code
    limit 1
)
select
    free.asset_tag,
    asset.name,
    building.code as building,
    floor.code as floor,
    free.room,
    abs(floor.level - origin.level) as floors_away,
    case when place.building_id = origin.building_id then round((
        sqrt((place.x_m - origin.x) ^ 2 + (place.y_m - origin.y) ^ 2)
        + %(metres_per_floor)s::numeric * abs(floor.level - origin.level)
    )::numeric, 1) end as distance_m,
    place.last_seen_at
from reporting.f_v_asset_availability(%(as_of)s::timestamptz) as free
join origin on origin.facility_id = free.facility_id
join registry.asset on asset.id = free.asset_id
join tracking.asset_location_current as place on place.asset_id = free.asset_id
join registry.building on building.id = place.building_id
left join registry.floor on floor.id = place.floor_id
where free.is_available and free.type = %(type)s::text
order by distance_m nulls last, free.asset_tag
limit %(most)s::int
