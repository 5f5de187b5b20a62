-- name: L02 assets_in_room
-- title: What is in this room, or on this floor, now?
-- audience: N
-- param: facility text = null
-- param: floor text = null
-- param: room text = null
-- param: as_of timestamptz = now
-- columns: category, facility, building, floor, room, asset_tag, name, state, is_available,
--          last_seen_at, is_stale
-- notes: One row an asset, by category; at most 5000. Facility, floor and room are codes.
select
    asset.category,
    place.facility,
    place.building,
    place.floor,
    place.room,
    place.asset_tag,
    asset.name,
    state.state,
    state.is_available,
    place.last_seen_at,
    place.is_stale
from reporting.f_v_asset_current_location(%(as_of)s::timestamptz) as place
join registry.asset on asset.id = place.asset_id
left join reporting.f_v_asset_availability(%(as_of)s::timestamptz) as state
    on state.asset_id = place.asset_id
where (%(facility)s::text is null or place.facility = %(facility)s::text)
    and (%(floor)s::text is null or place.floor = %(floor)s::text)
    and (%(room)s::text is null or place.room = %(room)s::text)
order by
    asset.category, place.facility, place.building, place.floor, place.room, place.asset_tag
limit 5000
