-- name: F15 funding_source_register
-- title: Which assets were paid for by grants or donations, and what are these bound to?
-- audience: C
-- param: as_of timestamptz = now
-- columns: funding_source, kind, grant_number, restriction, restricted_until, is_restricted,
--          asset_tag, name, status, facility, department, purchased_on, purchase_cost, currency,
--          book_value, book_currency
-- notes: One row an asset of a grant or donation; also retired and disposed ones, for a grantor
--        asks about these. is_restricted: a restriction that has no end, or has not ended.
--        book_value is that of the primary book, NULL when the asset is in none.
select
    source.name as funding_source,
    source.kind,
    source.grant_number,
    source.restriction,
    source.restricted_until,
    source.restriction is not null
        and coalesce(source.restricted_until >= local.day, true) as is_restricted,
    register.asset_tag,
    register.name,
    register.status,
    register.facility,
    register.department,
    asset.purchased_on,
    asset.purchase_cost,
    asset.currency_code as currency,
    value.book_value,
    value.currency as book_currency
from reporting.v_asset_register as register
join registry.asset on asset.id = register.asset_id
join registry.facility on facility.id = asset.facility_id
cross join lateral (
    select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
) as local
join registry.funding_source as source
    on source.id = asset.funding_source_id and source.deleted_at is null
left join reporting.f_v_depreciation(%(as_of)s::timestamptz) as value
    on value.asset_id = register.asset_id and value.is_primary
where source.kind in ('GRANT', 'DONATION')
order by source.name, register.asset_tag
