-- name: P10 sensor_anomalies
-- title: Which sensors measured something unusual or out of limits?
-- audience: B
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: baseline interval = 14 days
-- param: z numeric = 5
-- param: facility text = null
-- columns: asset_tag, name, sensor, quantity, unit, anomalies, out_of_limits, first_at, last_at,
--          worst_value, worst_z, median, low_limit, high_limit
-- notes: One row a sensor with anomalies, those out of limits first. Unusual: further from the median
--        of the baseline before the time than z robust deviations (1.4826 times the median absolute
--        deviation). A sensor that never changed has no deviation, so only its limits count; with
--        fewer than 20 baseline readings likewise.
with reading as materialized (
    select
        reading.asset_id, reading.source_id, reading.sensor_code, reading.quantity, reading.unit,
        reading.ts, reading.value, reading.low_limit, reading.high_limit
    from reporting.sensor_reading as reading
    where reading.ts >= %(from)s::timestamptz - %(baseline)s::interval
        and reading.ts < %(to)s::timestamptz
        and reading.sensor_code is not null
),
middle as (
    select
        reading.source_id,
        reading.quantity,
        count(*) as n,
        percentile_cont(0.5) within group (order by reading.value) as median
    from reading
    where reading.ts < %(from)s::timestamptz
    group by reading.source_id, reading.quantity
),
spread as (
    select
        middle.source_id,
        middle.quantity,
        middle.median,
        case when middle.n >= 20 then nullif(1.4826 * percentile_cont(0.5) within group (
            order by abs(reading.value - middle.median)
        ), 0) end as deviation
    from middle
    join reading on reading.source_id = middle.source_id
        and reading.quantity = middle.quantity
        and reading.ts < %(from)s::timestamptz
    group by middle.source_id, middle.quantity, middle.median, middle.n
),
judged as (
    select
        reading.*,
        spread.median,
        (reading.value - spread.median) / spread.deviation as robust_z,
        coalesce(
            reading.value < reading.low_limit or reading.value > reading.high_limit,
            reading.value < reading.low_limit, reading.value > reading.high_limit, false
        ) as out
    from reading
    left join spread on spread.source_id = reading.source_id
        and spread.quantity = reading.quantity
    where reading.ts >= %(from)s::timestamptz
),
odd as (
    select
        judged.*,
        row_number() over (
            partition by judged.source_id, judged.quantity
            order by judged.out desc, abs(judged.robust_z) desc nulls last, judged.ts
        ) as place
    from judged
    where judged.out or abs(judged.robust_z) > %(z)s::numeric::double precision
)
select
    asset.tag_number as asset_tag,
    asset.name,
    odd.sensor_code as sensor,
    odd.quantity,
    odd.unit,
    count(*) as anomalies,
    count(*) filter (where odd.out) as out_of_limits,
    min(odd.ts) as first_at,
    max(odd.ts) as last_at,
    max(odd.value) filter (where odd.place = 1) as worst_value,
    round((max(odd.robust_z) filter (where odd.place = 1))::numeric, 1) as worst_z,
    max(odd.median) as median,
    max(odd.low_limit) as low_limit,
    max(odd.high_limit) as high_limit
from odd
join registry.asset on asset.id = odd.asset_id and asset.deleted_at is null
join registry.facility on facility.id = asset.facility_id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by asset.tag_number, asset.name, odd.source_id, odd.sensor_code, odd.quantity, odd.unit
order by out_of_limits desc, anomalies desc, asset.tag_number, odd.sensor_code
