-- name: O02 tag_battery_forecast
-- title: When will which tag's battery be empty?
-- audience: O
-- param: days int = 30
-- param: within_days int = 90
-- param: as_of timestamptz = now
-- columns: tag, asset_tag, facility, battery_pct, told_at, pct_per_day, days_left, readings
-- notes: One row a tag that wears down within within_days, the soonest first: a straight line through
--        what it said of itself in the last days. A battery that was changed meanwhile looks as if it
--        were charging and is left out until it falls again. Fewer than 5 readings or less than a day
--        of them is no line.
with line as (
    select
        reading.source_id,
        count(*) as readings,
        public.last(reading.value, reading.ts) as value,
        max(reading.ts) as told_at,
        regr_slope(reading.value, extract(epoch from reading.ts)::double precision / 86400)
            as per_day
    from reporting.sensor_reading as reading
    where reading.quantity = 'battery'
        and reading.ts > %(as_of)s::timestamptz - make_interval(days => %(days)s::int)
        and reading.ts <= %(as_of)s::timestamptz
    group by reading.source_id
    having count(*) >= 5 and max(reading.ts) - min(reading.ts) >= interval '1 day'
)
select
    tag.name as tag,
    asset.tag_number as asset_tag,
    facility.code as facility,
    line.value as battery_pct,
    line.told_at,
    round(line.per_day::numeric, 3) as pct_per_day,
    round(left_.days::numeric, 1) as days_left,
    line.readings
from line
join registry.tag on tag.id = line.source_id and tag.deleted_at is null
join registry.tag_assignment as worn on worn.organization_id = tag.organization_id
    and worn.tag_id = tag.id
    and worn.during @> %(as_of)s::timestamptz
join registry.asset on asset.id = worn.asset_id and asset.deleted_at is null
join registry.facility on facility.id = asset.facility_id
cross join lateral (
    select greatest(
        line.value / nullif(- line.per_day, 0)
        - extract(epoch from %(as_of)s::timestamptz - line.told_at)::double precision / 86400, 0
    ) as days
) as left_
where line.per_day < 0 and left_.days <= %(within_days)s::int
order by left_.days, tag.name
