-- name: A12 assets_by_software_version
-- title: Which software versions does the fleet of each model run, and which are outliers?
-- audience: B, O
-- param: manufacturer text = null
-- param: model text = null
-- columns: manufacturer, model, software_version, assets, of_model, share_pct, is_outlier,
--          asset_tags
-- notes: One row a model and version, rarest first within a model; version NULL is not recorded.
--        An outlier is a version on less than 10 percent of a model of which ten or more run.
--        Retired and disposed assets are left out.
select
    register.manufacturer,
    register.model,
    asset.software_version,
    count(*) as assets,
    sum(count(*)) over fleet as of_model,
    round(100.0 * count(*) / sum(count(*)) over fleet, 1) as share_pct,
    sum(count(*)) over fleet >= 10 and count(*) < 0.1 * sum(count(*)) over fleet as is_outlier,
    (array_agg(register.asset_tag order by register.asset_tag))[:10] as asset_tags
from reporting.v_asset_register as register
join registry.asset on asset.id = register.asset_id
where register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    and (
        %(manufacturer)s::text is null
        or app.fold(register.manufacturer) = app.fold(%(manufacturer)s::text)
    )
    and (%(model)s::text is null or app.fold(register.model) = app.fold(%(model)s::text))
group by register.manufacturer, register.model, asset.software_version
window fleet as (partition by register.manufacturer, register.model)
order by register.manufacturer, register.model, assets, asset.software_version
