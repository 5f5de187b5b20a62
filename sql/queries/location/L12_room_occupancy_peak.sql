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
with visit as (
    select
        visit.room_id,
        visit.asset_id,
        greatest(visit.entered_at, %(from)s::timestamptz) as since,
        least(coalesce(visit.left_at, 'infinity'), %(to)s::timestamptz) as until
    from tracking.room_visit as visit
    join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = visit.facility_id
    join registry.room on room.id = visit.room_id
    where visit.entered_at < %(to)s::timestamptz
        and coalesce(visit.left_at, 'infinity') > %(from)s::timestamptz
        and coalesce(visit.left_at, 'infinity') > visit.entered_at
        and %(from)s::timestamptz < %(to)s::timestamptz
        and (%(facility)s::text is null or facility.code = %(facility)s::text)
        and (%(room)s::text is null or room.code = %(room)s::text)
),
moment as (
    select visit.room_id, tick.at, sum(tick.step) as step
    from visit
    cross join lateral (values (visit.since, 1), (visit.until, -1)) as tick (at, step)
    group by visit.room_id, tick.at
),
span as (
    select
        moment.room_id,
        moment.at,
        lead(moment.at) over trail as until,
        sum(moment.step) over trail as present
    from moment
    window trail as (partition by moment.room_id order by moment.at)
),
occupied as (
    select
        span.room_id,
        hours.hour,
        max(span.present) as peak,
        -- Those inside as the hour begins are of different assets.
        coalesce(max(span.present) filter (where span.at <= hours.hour), 0) as inside
    from span
    cross join lateral generate_series(
        date_trunc('hour', span.at, 'UTC'), span.until - interval '1 microsecond',
        interval '1 hour'
    ) as hours (hour)
    where span.present > 0
    group by span.room_id, hours.hour
),
entry as (
    select
        visit.room_id,
        visit.since,
        date_trunc('hour', visit.since, 'UTC') as hour,
        lag(visit.until) over (
            partition by visit.room_id, visit.asset_id order by visit.since
        ) as was_inside_until
    from visit
),
arrived as (
    select entry.room_id, entry.hour, count(*) as assets
    from entry
    where entry.since > entry.hour
        -- Who comes back within the hour has been counted.
        and coalesce(entry.was_inside_until <= entry.hour, true)
    group by entry.room_id, entry.hour
)
select
    occupied.hour,
    facility.code as facility,
    building.code as building,
    room.code as room,
    occupied.peak::bigint as peak,
    (occupied.inside + coalesce(arrived.assets, 0))::bigint as assets
from occupied
left join arrived on arrived.room_id = occupied.room_id and arrived.hour = occupied.hour
join registry.room on room.id = occupied.room_id
join registry.floor on floor.id = room.floor_id
join registry.building on building.id = floor.building_id
join registry.facility on facility.id = building.facility_id
order by occupied.hour, facility.code, building.code, room.code
