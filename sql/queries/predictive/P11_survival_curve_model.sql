-- name: P11 survival_curve_model
-- title: Which share of a model's units reaches which age without a failure?
-- audience: B
-- param: model text = null
-- param: as_of timestamptz = now
-- columns: manufacturer, model, day, at_risk, failures, survival, low, high
-- notes: Kaplan-Meier: one row a device model and age in days at which a first confirmed failure
--        happened. Units that have not failed count until now or until they were retired. low and
--        high are Greenwood's 95 percent interval. Failures before work orders were kept here are
--        not known and make old units look better.
with unit as (
    select
        maker.name as manufacturer,
        model.model_number as model,
        asset.device_model_id,
        first.failed_at is not null as failed,
        floor(extract(epoch from
            coalesce(
                first.failed_at,
                least(%(as_of)s::timestamptz, coalesce(asset.retired_on, 'infinity')::timestamptz)
            ) - asset.in_service_on::timestamptz
        ) / 86400)::integer as day
    from registry.asset
    join registry.device_model as model on model.id = asset.device_model_id
    join registry.manufacturer as maker on maker.id = model.manufacturer_id
    left join lateral (
        select min(work.failed_at) as failed_at
        from maintenance.work_order as work
        where work.organization_id = asset.organization_id
            and work.asset_id = asset.id
            and work.failure_confirmed
            and work.failed_at >= asset.in_service_on::timestamptz
            and work.failed_at <= %(as_of)s::timestamptz
            and work.deleted_at is null
    ) as first on true
    where asset.deleted_at is null
        and asset.in_service_on <= %(as_of)s::timestamptz
        and (%(model)s::text is null or model.model_number = %(model)s::text)
),
age as (
    select
        unit.device_model_id,
        min(unit.manufacturer) as manufacturer,
        min(unit.model) as model,
        unit.day,
        count(*) filter (where unit.failed) as failures,
        -- Everybody who was not gone before this age.
        sum(count(*)) over (partition by unit.device_model_id order by unit.day desc) as at_risk
    from unit
    where unit.day >= 0
    group by unit.device_model_id, unit.day
),
curve as (
    select
        age.*,
        bool_or(age.failures = age.at_risk) over up as all_failed,
        exp(sum(ln(
            greatest(1 - age.failures / age.at_risk::double precision, 1e-300)
        )) over up) as survival,
        sum(
            age.failures / nullif(age.at_risk * (age.at_risk - age.failures), 0)::double precision
        ) over up as greenwood
    from age
    where age.failures > 0
    window up as (partition by age.device_model_id order by age.day)
)
select
    curve.manufacturer,
    curve.model,
    curve.day,
    curve.at_risk::bigint as at_risk,
    curve.failures,
    case when curve.all_failed then 0 else round(curve.survival::numeric, 4) end as survival,
    case when curve.all_failed then 0 else round(greatest(
        curve.survival * (1 - 1.959963984540054 * sqrt(curve.greenwood)), 0
    )::numeric, 4) end as low,
    case when not curve.all_failed then round(least(
        curve.survival * (1 + 1.959963984540054 * sqrt(curve.greenwood)), 1
    )::numeric, 4) end as high
from curve
order by curve.manufacturer, curve.model, curve.day
