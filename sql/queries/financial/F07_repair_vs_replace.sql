-- name: F07 repair_vs_replace
-- title: Which assets have cost so much to repair, or are so old, that replacing them is cheaper?
-- audience: C, B
-- param: share numeric = 0.5
-- param: as_of timestamptz = now
-- columns: asset_tag, name, manufacturer, model, facility, age_y, life_y, cm_cost,
--          replacement_cost, currency, cm_pct, end_of_support, reasons
-- notes: One row an owned asset in use with a reason: REPAIR_COST (all its corrective work is above
--        share of the replacement cost), PAST_LIFE, END_OF_SUPPORT. cm_cost counts what was spent
--        in the asset's currency; replacement_cost is the purchase cost where none is recorded.
with repair as (
    select spent.asset_id, spent.currency, sum(spent.cost) as cost
    from (
        select
            work.asset_id, work.currency_code::text as currency,
            work.labor_cost + work.vendor_cost as cost
        from maintenance.work_order as work
        where work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
            and work.status <> 'CANCELLED' and work.deleted_at is null
            and work.reported_at <= %(as_of)s::timestamptz
        union all
        select work.asset_id, used.currency_code::text, used.quantity * used.unit_cost
        from maintenance.work_order as work
        join maintenance.work_order_part as used
            on used.work_order_id = work.id and used.deleted_at is null
        where work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
            and work.status <> 'CANCELLED' and work.deleted_at is null
            and work.reported_at <= %(as_of)s::timestamptz
    ) as spent
    group by spent.asset_id, spent.currency
),
fleet as (
    select
        register.*,
        local.day,
        round(
            (local.day
                - coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on)) / 365.25, 2
        ) as age_y,
        coalesce(written.life_years, kind.default_useful_life_years) as life_y,
        coalesce(repair.cost, 0) as cm_cost,
        coalesce(asset.replacement_cost, asset.purchase_cost) as replacement_cost,
        asset.currency_code as currency,
        model.end_of_support_on as end_of_support
    from reporting.v_asset_register as register
    join registry.asset on asset.id = register.asset_id
    join registry.facility on facility.id = asset.facility_id
    cross join lateral (
        select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
    ) as local
    left join registry.device_model as model on model.id = asset.device_model_id
    left join registry.device_type as kind on kind.id = model.device_type_id
    left join finance.book
        on book.organization_id = asset.organization_id
        and book.is_primary and book.deleted_at is null
    left join finance.depreciation as written
        on written.asset_id = asset.id and written.book_id = book.id and written.deleted_at is null
    left join repair
        on repair.asset_id = asset.id and repair.currency = asset.currency_code::text
    where asset.ownership = 'OWNED'
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
),
judged as (
    select
        fleet.*,
        array_remove(array[
            case when cm_cost > %(share)s::numeric * replacement_cost then 'REPAIR_COST' end,
            case when age_y > life_y then 'PAST_LIFE' end,
            case when end_of_support <= day then 'END_OF_SUPPORT' end
        ], null) as reasons
    from fleet
)
select
    asset_tag,
    name,
    manufacturer,
    model,
    facility,
    age_y,
    life_y,
    cm_cost,
    replacement_cost,
    currency,
    round(100 * cm_cost / nullif(replacement_cost, 0), 1) as cm_pct,
    end_of_support,
    reasons
from judged
where cardinality(reasons) > 0
order by cardinality(reasons) desc, cm_pct desc nulls last, asset_tag
