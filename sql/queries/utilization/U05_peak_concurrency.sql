-- name: U05 peak_concurrency
-- title: How many units of a type were in use at once, at most, each day?
-- audience: N, C
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: type text = null
-- columns: date, facility, device_type, method, assets, peak_concurrent
-- notes: One row a local day, facility, type and method. A session over midnight counts on both
--        days; what ends at a moment has ended before what begins then.
select
    day.date,
    day.facility,
    day.device_type,
    day.method,
    day.assets,
    day.peak_concurrent
from reporting.utilization_days(%(from)s::timestamptz, %(to)s::timestamptz) as day
where (%(facility)s::text is null or day.facility = %(facility)s::text)
    and (%(type)s::text is null or day.device_type = %(type)s::text)
order by day.date, day.facility, day.device_type, day.method
