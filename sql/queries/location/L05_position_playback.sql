-- name: L05 position_playback
-- title: Where was this asset, every so many seconds?
-- audience: N
-- param: tag text
-- param: from timestamptz = now - 1 hour
-- param: to timestamptz = now
-- param: step interval = 10 seconds
-- columns: ts, building, floor, room, x, y, z, accuracy_m, moving
-- notes: One row a step in which it was located: the last position of the step. At most 20000.
select distinct on (step)
    history.ts,
    building.code as building,
    floor.code as floor,
    history.room_code as room,
    history.x_m as x,
    history.y_m as y,
    history.z_m as z,
    history.accuracy_m,
    history.moving
from reporting.location_history as history
cross join lateral public.time_bucket(%(step)s::interval, history.ts) as step
join registry.building on building.id = history.building_id
left join registry.floor on floor.id = history.floor_id
where history.asset_id = (
        select asset.id
        from registry.asset
        where asset.tag_number = %(tag)s::text and asset.deleted_at is null
    )
    and history.ts >= %(from)s::timestamptz
    and history.ts < %(to)s::timestamptz
order by step, history.ts desc, history.accuracy_m
limit 20000
