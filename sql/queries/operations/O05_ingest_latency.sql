-- name: O05 ingest_latency
-- title: How long does it take from hearing to storing?
-- audience: O
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: facility text = null
-- columns: hour, facility, building, windows, reads, lag_p50_s, lag_p95_s, lag_p99_s, lag_max_s
-- notes: One row a building and UTC hour: from the end of a window until it was stored, as first
--        written (revisions of history are not the live path).
select
    date_trunc('hour', written.window_end, 'UTC') as hour,
    written.facility_code as facility,
    written.building_code as building,
    count(*) as windows,
    sum(written.reads) as reads,
    round((percentile_cont(0.5) within group (order by written.lag_s))::numeric, 2) as lag_p50_s,
    round((percentile_cont(0.95) within group (order by written.lag_s))::numeric, 2) as lag_p95_s,
    round((percentile_cont(0.99) within group (order by written.lag_s))::numeric, 2) as lag_p99_s,
    round(max(written.lag_s)::numeric, 2) as lag_max_s
from reporting.ingest_windows as written
where written.window_end >= %(from)s::timestamptz
    and written.window_end < %(to)s::timestamptz
    and written.revision = 0
    and (%(facility)s::text is null or written.facility_code = %(facility)s::text)
group by
    date_trunc('hour', written.window_end, 'UTC'), written.facility_code, written.building_code
order by hour, written.facility_code, written.building_code
