-- name: L16 par_breach_history
-- title: For how long was each store below its minimum, day by day?
-- audience: N
-- param: from timestamptz = now - 14 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: date, facility, room, device_type, par_min, minutes_below, pct_below, lowest
-- notes: One row a store, type and local day with any time below par. Available is what presence
--        told (in the room and not in use): holds and cleanliness have no history. Levels are the
--        present ones. pct_below is of the day as far as it lies in the time.
select
    days.day::date as date,
    facility.code as facility,
    room.code as room,
    type.code as device_type,
    span.par_min,
    round(sum(extract(epoch from piece.until - piece.since)) / 60, 1) as minutes_below,
    round(
        100 * sum(extract(epoch from piece.until - piece.since))
        / extract(epoch from max(piece.day_until) - min(piece.day_since)), 1
    ) as pct_below,
    min(span.available) as lowest
from reporting.par_spans(%(from)s::timestamptz, %(to)s::timestamptz) as span
join registry.facility on facility.id = span.facility_id
join registry.room on room.id = span.room_id
join registry.device_type as type on type.id = span.device_type_id
cross join lateral generate_series(
    date_trunc('day', span.started_at at time zone facility.time_zone),
    span.ended_at at time zone facility.time_zone,
    interval '1 day'
) as days (day)
cross join lateral (
    select
        greatest(span.started_at, days.day at time zone facility.time_zone) as since,
        least(
            span.ended_at, (days.day + interval '1 day') at time zone facility.time_zone
        ) as until,
        greatest(%(from)s::timestamptz, days.day at time zone facility.time_zone) as day_since,
        least(
            %(to)s::timestamptz, (days.day + interval '1 day') at time zone facility.time_zone
        ) as day_until
) as piece
where span.available < span.par_min
    and piece.until > piece.since
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by days.day, facility.code, room.code, type.code, span.par_min, span.par_location_id
order by days.day, facility.code, room.code, type.code
