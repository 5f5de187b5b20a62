-- name: F02 book_value_as_of
-- title: What were the assets worth in the books on a day, by category?
-- audience: C
-- param: as_of timestamptz = now
-- param: book text = null
-- param: facility text = null
-- columns: currency, category, assets, cost, accumulated, book_value, fully_depreciated,
--          not_in_service
-- notes: One row a currency and category, of assets that were not disposed of by that day, in the
--        primary book unless its code is given. For single assets: v_depreciation.
with value as materialized (
    select * from reporting.f_v_depreciation(%(as_of)s::timestamptz)
)
select
    value.currency,
    register.category,
    count(*) as assets,
    sum(value.cost) as cost,
    sum(value.accumulated) as accumulated,
    sum(value.book_value) as book_value,
    count(*) filter (where value.fully_depreciated) as fully_depreciated,
    count(*) filter (where value.in_service_on is null or value.in_service_on > value.as_of)
        as not_in_service
from value
join reporting.v_asset_register as register on register.asset_id = value.asset_id
where case
        when %(book)s::text is null then value.is_primary else value.book = %(book)s::text
    end
    and (value.disposed_on is null or value.disposed_on > value.as_of)
    and (%(facility)s::text is null or register.facility = %(facility)s::text)
group by value.currency, register.category
order by value.currency, register.category
