-- name: L12 room_occupancy_peak
-- title: How many assets were in a room at once, at most, hour by hour?
-- audience: N
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: facility text = null
-- param: room text = null
-- columns: hour, facility, building, room, peak, assets
-- notes: One row a room and hour (UTC) with something in it. What leaves at a moment has left before
--        what comes then. assets: how many different ones.
with piece as (
    select
        visit.room_id,
        visit.asset_id,
        hours.hour,
        greatest(visit.entered_at, hours.hour, %(from)s::timestamptz) as since,
        least(
            coalesce(visit.left_at, 'infinity'), hours.hour + interval '1 hour',
            %(to)s::timestamptz
        ) as until
    from tracking.room_visit as visit
    join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = visit.facility_id
    join registry.room on room.id = visit.room_id
    cross join lateral generate_series(
        date_trunc('hour', greatest(visit.entered_at, %(from)s::timestamptz), 'UTC'),
        least(coalesce(visit.left_at, 'infinity'), %(to)s::timestamptz),
        interval '1 hour'
    ) as hours (hour)
    where visit.entered_at < %(to)s::timestamptz
        and coalesce(visit.left_at, 'infinity') > %(from)s::timestamptz
        and (%(facility)s::text is null or facility.code = %(facility)s::text)
        and (%(room)s::text is null or room.code = %(room)s::text)
),
edge as (
    select piece.room_id, piece.hour, tick.at, tick.step
    from piece
    cross join lateral (values (piece.since, 1), (piece.until, -1)) as tick (at, step)
    where piece.until > piece.since
),
running as (
    select
        edge.room_id,
        edge.hour,
        sum(edge.step) over (partition by edge.room_id, edge.hour order by edge.at, edge.step)
            as present
    from edge
),
peak as (
    select running.room_id, running.hour, max(running.present) as peak
    from running
    group by running.room_id, running.hour
),
different as (
    select piece.room_id, piece.hour, count(distinct piece.asset_id) as assets
    from piece
    where piece.until > piece.since
    group by piece.room_id, piece.hour
)
select
    peak.hour,
    facility.code as facility,
    building.code as building,
    room.code as room,
    peak.peak,
    different.assets
from peak
join different on different.room_id = peak.room_id and different.hour = peak.hour
join registry.room on room.id = peak.room_id
join registry.floor on floor.id = room.floor_id
join registry.building on building.id = floor.building_id
join registry.facility on facility.id = building.facility_id
order by peak.hour, facility.code, building.code, room.code
