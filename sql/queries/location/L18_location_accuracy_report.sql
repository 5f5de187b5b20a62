-- name: L18 location_accuracy_report
-- title: How exact and how fast is positioning, by floor and technology?
-- audience: O
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: facility text = null
-- columns: facility, building, floor, method, positions, assets, accuracy_p50_m, accuracy_p90_m,
--          without_room_pct, lag_p50_s, lag_p95_s
-- notes: One row a floor and method. Accuracy is the radius that the position itself claims to hold
--        the truth nine times in ten. The lag is that of the whole building: from the end of a
--        window until it was stored, as first written.
with lag as (
    select
        written.building_id,
        percentile_cont(0.5) within group (order by written.lag_s) as p50,
        percentile_cont(0.95) within group (order by written.lag_s) as p95
    from reporting.ingest_windows as written
    where written.window_end >= %(from)s::timestamptz
        and written.window_end < %(to)s::timestamptz
        and written.revision = 0
    group by written.building_id
)
select
    facility.code as facility,
    building.code as building,
    floor.code as floor,
    history.method,
    count(*) as positions,
    count(distinct history.asset_id) as assets,
    round((percentile_cont(0.5) within group (order by history.accuracy_m))::numeric, 2)
        as accuracy_p50_m,
    round((percentile_cont(0.9) within group (order by history.accuracy_m))::numeric, 2)
        as accuracy_p90_m,
    round(100.0 * count(*) filter (where history.room_id is null) / count(*), 1)
        as without_room_pct,
    round(max(lag.p50)::numeric, 2) as lag_p50_s,
    round(max(lag.p95)::numeric, 2) as lag_p95_s
from reporting.location_history as history
join registry.building on building.id = history.building_id
join registry.facility on facility.id = building.facility_id
left join registry.floor on floor.id = history.floor_id
left join lag on lag.building_id = history.building_id
where history.ts >= %(from)s::timestamptz
    and history.ts < %(to)s::timestamptz
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by facility.code, building.code, floor.code, history.method
order by facility.code, building.code, floor.code, history.method
