-- name: A09 assets_by_department_cost
-- title: How much equipment has each department, by category, and what is it worth?
-- audience: C
-- param: as_of timestamptz = now
-- columns: facility, department, cost_center, category, currency, assets, purchase_cost,
--          cost_unknown, book_value, book_value_unknown
-- notes: One row a facility, department, category and currency of purchase (NULL: not recorded), of
--        what is not disposed of. book_value is of the primary book where that is in the same
--        currency; book_value_unknown counts the assets for which it is not, or that are in no
--        book.
select
    register.facility,
    register.department,
    department.cost_center,
    register.category,
    asset.currency_code as currency,
    count(*) as assets,
    sum(asset.purchase_cost) as purchase_cost,
    count(*) filter (where asset.purchase_cost is null) as cost_unknown,
    sum(value.book_value) as book_value,
    count(*) filter (where value.book_value is null) as book_value_unknown
from reporting.v_asset_register as register
join registry.asset on asset.id = register.asset_id
left join registry.department on department.id = asset.department_id
left join reporting.f_v_depreciation(%(as_of)s::timestamptz) as value
    on value.asset_id = register.asset_id
    and value.is_primary
    and value.currency = asset.currency_code::text
where register.status <> 'DISPOSED'
group by
    register.facility, asset.department_id, register.department, department.cost_center,
    register.category, asset.currency_code
order by
    register.facility, register.department nulls last, register.category,
    asset.currency_code nulls last
