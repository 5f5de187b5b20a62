-- name: O08 late_data
-- title: Which gateways bring data late, how late, and did it become history?
-- audience: O
-- param: from timestamptz = now - 7 days
-- param: to timestamptz = now
-- param: later_than interval = 1 minute
-- param: facility text = null
-- columns: facility, building, gateway, batches, late_reads, latest_h, waiting, given_up, revised,
--          hours_dirtied
-- notes: One row a gateway, of batches that came in the time with a read older than later_than.
--        revised: taken into history; given_up: could not be; waiting: not looked at yet.
--        hours_dirtied: how many hours (UTC) of the building's history were computed again.
with late as (
    select late.*, late.recorded_at - late.first_at as delay
    from reporting.late_batches as late
    where late.recorded_at >= %(from)s::timestamptz
        and late.recorded_at < %(to)s::timestamptz
        and late.recorded_at - late.first_at > %(later_than)s::interval
        and (%(facility)s::text is null or late.facility_code = %(facility)s::text)
),
dirty as (
    select late.gateway_code, late.building_id, count(distinct hours.hour) as hours
    from late
    cross join lateral generate_series(
        date_trunc('hour', late.revised_from, 'UTC'), late.revised_until, interval '1 hour'
    ) as hours (hour)
    where hours.hour < late.revised_until
    group by late.gateway_code, late.building_id
)
select
    late.facility_code as facility,
    late.building_code as building,
    late.gateway_code as gateway,
    count(*) as batches,
    sum(late.late_reads) as late_reads,
    round(extract(epoch from max(late.delay)) / 3600, 2) as latest_h,
    count(*) filter (where late.settled_at is null) as waiting,
    count(*) filter (where late.settled_at is not null and late.revision is null) as given_up,
    count(*) filter (where late.revision is not null) as revised,
    coalesce(max(dirty.hours), 0) as hours_dirtied
from late
left join dirty on dirty.gateway_code = late.gateway_code and dirty.building_id = late.building_id
group by late.facility_code, late.building_code, late.gateway_code
order by late_reads desc, late.facility_code, late.building_code, late.gateway_code
