-- name: L01 current_location
-- title: Where is this asset now, how exactly is that known and how old is it?
-- audience: N
-- param: tag text
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, building, floor, room, zone, x, y, z, accuracy_m, method,
--          last_seen_at, age_seconds, is_stale, is_moving, is_home
-- notes: One row, none for an asset that was never located. tag is the inventory number. as_of
--        decides ages only; where it was in the past is L13.
select
    place.asset_tag,
    asset.name,
    place.facility,
    place.building,
    place.floor,
    place.room,
    place.zone,
    place.x,
    place.y,
    place.z,
    place.accuracy_m,
    place.method,
    place.last_seen_at,
    place.age_seconds,
    place.is_stale,
    place.is_moving,
    place.is_home
from reporting.f_v_asset_current_location(%(as_of)s::timestamptz) as place
join registry.asset on asset.id = place.asset_id
where place.asset_tag = %(tag)s::text
