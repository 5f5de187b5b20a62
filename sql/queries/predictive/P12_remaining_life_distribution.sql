-- name: P12 remaining_life_distribution
-- title: How long will each asset probably run until its next failure?
-- audience: B, C
-- param: type text = null
-- param: facility text = null
-- param: min_failures int = 5
-- param: most int = 500
-- param: as_of timestamptz = now
-- columns: asset_tag, name, device_type, facility, age_days, shape, scale_days, type_failures,
--          median_days, low_days, high_days
-- notes: One row an asset, the shortest median first. A Weibull distribution of the times between
--        failures is fitted by device type (least squares on the Kaplan-Meier curve of all runs,
--        unfinished ones censored) and conditioned on how long the asset has already run since its
--        last repair, or since it went into service. low and high hold the middle 90 percent. A
--        repair is taken to make it as good as new. Types with fewer than min_failures failures, or
--        with all of them at one age, are left out. The curve of one type says nothing of misuse.
with unit as materialized (
    select
        asset.id,
        asset.tag_number,
        asset.name,
        asset.status,
        asset.facility_id,
        model.device_type_id,
        asset.in_service_on::timestamptz as since,
        least(%(as_of)s::timestamptz, coalesce(asset.retired_on, 'infinity')::timestamptz) as until
    from registry.asset
    join registry.device_model as model on model.id = asset.device_model_id
    where asset.deleted_at is null
        and asset.in_service_on <= %(as_of)s::timestamptz
),
failure as materialized (
    select work.asset_id, work.failed_at, work.restored_at
    from maintenance.work_order as work
    where work.failure_confirmed and work.deleted_at is null
),
event as (
    select unit.id as asset_id, unit.since as at, true as starts, null::timestamptz as failed_at
    from unit
    union all
    select failure.asset_id, failure.restored_at, true, null
    from failure
    where failure.restored_at <= %(as_of)s::timestamptz
    union all
    select failure.asset_id, failure.failed_at, false, failure.failed_at
    from failure
    where failure.failed_at <= %(as_of)s::timestamptz
),
trail as (
    select
        event.asset_id,
        event.starts,
        event.at as started_at,
        -- The first failure from then on, also one of the same moment.
        min(event.failed_at) over (partition by event.asset_id order by event.at desc) as failed_at
    from event
),
run as (
    select
        trail.asset_id,
        unit.device_type_id,
        trail.started_at,
        trail.failed_at,
        extract(epoch from coalesce(trail.failed_at, unit.until) - trail.started_at)
            ::double precision / 86400 as days
    from trail
    join unit on unit.id = trail.asset_id and trail.started_at >= unit.since
    where trail.starts
),
age as (
    select
        run.device_type_id,
        run.days,
        count(*) filter (where run.failed_at is not null) as failures,
        sum(count(*)) over (partition by run.device_type_id order by run.days desc) as at_risk
    from run
    where run.days > 0
    group by run.device_type_id, run.days
),
curve as (
    select
        age.*,
        -- The middle of the step: before and after the failures of this age.
        sum(ln(greatest(1 - age.failures / age.at_risk::double precision, 1e-9))) over (
            partition by age.device_type_id order by age.days
        ) - ln(greatest(1 - age.failures / age.at_risk::double precision, 1e-9)) / 2
            as log_survival
    from age
    where age.failures > 0
),
weibull as materialized (
    select
        curve.device_type_id,
        sum(curve.failures) as failures,
        regr_slope(ln(- curve.log_survival), ln(curve.days)) as shape,
        exp(
            - regr_intercept(ln(- curve.log_survival), ln(curve.days))
            / nullif(regr_slope(ln(- curve.log_survival), ln(curve.days)), 0)
        ) as scale
    from curve
    group by curve.device_type_id
    having sum(curve.failures) >= %(min_failures)s::int
        and regr_slope(ln(- curve.log_survival), ln(curve.days)) > 0
),
running as materialized (
    select distinct on (run.asset_id)
        run.device_type_id, unit.tag_number, unit.name, unit.facility_id, run.days as age
    from run
    join unit on unit.id = run.asset_id
        and unit.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    where run.failed_at is null
    order by run.asset_id, run.started_at desc
)
select
    running.tag_number as asset_tag,
    running.name,
    type.code as device_type,
    facility.code as facility,
    round(running.age::numeric, 1) as age_days,
    round(weibull.shape::numeric, 3) as shape,
    round(weibull.scale::numeric, 1) as scale_days,
    weibull.failures::bigint as type_failures,
    round((left_.base * (left_.used - ln(0.5)) ^ left_.power - running.age)::numeric, 1)
        as median_days,
    round((left_.base * (left_.used - ln(0.95)) ^ left_.power - running.age)::numeric, 1)
        as low_days,
    round((left_.base * (left_.used - ln(0.05)) ^ left_.power - running.age)::numeric, 1)
        as high_days
from running
join weibull on weibull.device_type_id = running.device_type_id
join registry.facility on facility.id = running.facility_id
join registry.device_type as type on type.id = running.device_type_id
cross join lateral (
    select
        weibull.scale as base,
        (running.age / weibull.scale) ^ weibull.shape as used,
        1 / weibull.shape as power
) as left_
where (%(type)s::text is null or type.code = %(type)s::text)
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by median_days, running.tag_number
limit %(most)s::int
