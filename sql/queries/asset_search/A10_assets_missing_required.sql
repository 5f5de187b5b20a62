-- name: A10 assets_missing_required
-- title: Which required fields are missing, and on which assets?
-- audience: Q
-- param: facility text = null
-- columns: field, assets, of_assets, missing_pct, asset_tags
-- notes: One row a required field that is missing somewhere, the most frequent first, of assets
--        that are not retired. asset_tags names the first ten. Fields by the name that the
--        requirements give them.
with live as (
    select
        register.*, asset.vendor_id, asset.purchased_on, asset.purchase_cost, asset.currency_code,
        asset.custodian_id, asset.department_id, asset.created_by,
        written.id as written_id
    from reporting.v_asset_register as register
    join registry.asset on asset.id = register.asset_id
    left join finance.book
        on book.organization_id = asset.organization_id
        and book.is_primary and book.deleted_at is null
    left join finance.depreciation as written
        on written.asset_id = asset.id and written.book_id = book.id and written.deleted_at is null
    where register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        and (%(facility)s::text is null or register.facility = %(facility)s::text)
),
lacking as (
    select live.asset_tag, field.name
    from live
    cross join lateral (values
        ('manufacturer', btrim(live.manufacturer) = ''),
        ('model_number', btrim(live.model) = ''),
        ('serial_number', btrim(live.serial) = ''),
        ('udi_device_identifier', live.udi_di is null),
        ('criticality_level', live.criticality is null),
        ('risk_classification', live.device_class is null),
        ('vendor_id', live.vendor_id is null),
        ('purchase_date', live.purchased_on is null),
        ('purchase_cost', live.purchase_cost is null),
        ('currency_code', live.currency_code is null),
        ('depreciation_method', live.written_id is null),
        ('useful_life_years', live.written_id is null),
        ('primary_custodian_id', live.custodian_id is null),
        ('custodian_department_id', live.department_id is null),
        ('created_by_user_id', live.created_by is null)
    ) as field (name, is_missing)
    where field.is_missing
)
select
    lacking.name as field,
    count(*) as assets,
    total.assets as of_assets,
    round(100.0 * count(*) / total.assets, 1) as missing_pct,
    (array_agg(lacking.asset_tag order by lacking.asset_tag))[:10] as asset_tags
from lacking
cross join (select count(*) as assets from live) as total
group by lacking.name, total.assets
order by assets desc, field
