-- name: M15 parts_usage_and_stock
-- title: How fast is each part used, and when will it run out?
-- audience: B
-- param: days int = 180
-- param: as_of timestamptz = now
-- columns: facility, part_number, part, stock, reorder_point, used, per_month, days_left,
--          stock_out_on, lead_time_days, must_order, unit_cost, currency
-- notes: One row a stock of a facility, what runs out first on top. used is of the last days;
--        days_left and stock_out_on are NULL when none was used. must_order: at or below the
--        reorder point, or out before a delivery could be here.
with stock as (
    select
        held.facility_id, held.spare_part_id, held.quantity, held.reorder_point,
        facility.code as facility,
        (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
    from maintenance.part_stock as held
    join registry.facility on facility.id = held.facility_id
    where held.deleted_at is null
),
usage as (
    select stock.facility_id, stock.spare_part_id, sum(item.quantity) as used
    from stock
    join maintenance.work_order_part as item
        on item.spare_part_id = stock.spare_part_id
        and item.facility_id = stock.facility_id
        and item.used_on > stock.day - %(days)s::int and item.used_on <= stock.day
        and item.deleted_at is null
    group by stock.facility_id, stock.spare_part_id
),
rate as (
    select
        stock.*,
        coalesce(usage.used, 0) as used,
        floor(stock.quantity * %(days)s::int / nullif(usage.used, 0)::numeric)::integer as days_left
    from stock
    left join usage
        on usage.facility_id = stock.facility_id and usage.spare_part_id = stock.spare_part_id
)
select
    rate.facility,
    part.part_number,
    part.name as part,
    rate.quantity as stock,
    rate.reorder_point,
    rate.used,
    round(rate.used * 30.4375 / %(days)s::int, 2) as per_month,
    rate.days_left,
    rate.day + rate.days_left as stock_out_on,
    part.lead_time_days,
    rate.quantity <= rate.reorder_point
        or coalesce(rate.days_left <= part.lead_time_days, false) as must_order,
    part.unit_cost,
    part.currency_code as currency
from rate
join maintenance.spare_part as part on part.id = rate.spare_part_id and part.deleted_at is null
order by rate.days_left nulls last, rate.facility, part.part_number
