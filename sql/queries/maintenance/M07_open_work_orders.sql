-- name: M07 open_work_orders
-- title: What work is open, how old is it, and how much time is left?
-- audience: B
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: priority, number, type, status, asset_tag, name, facility, opened_at, age_h,
--          sla_due_at, sla_remaining_h, sla_breached, technician, vendor, est_cost, currency
-- notes: One row a work order, the most urgent first. sla_remaining_h is to the next promise and
--        negative once it is broken; NULL: nothing was promised.
select
    work.priority,
    work.number,
    work.type,
    work.status,
    work.asset as asset_tag,
    asset.name,
    asset.facility,
    work.opened_at,
    work.age_h,
    work.sla_due_at,
    round(extract(epoch from work.sla_due_at - %(as_of)s::timestamptz) / 3600, 1)
        as sla_remaining_h,
    work.sla_breached,
    work.technician,
    work.vendor,
    work.est_cost,
    work.currency
from reporting.f_v_work_orders_open(%(as_of)s::timestamptz) as work
join reporting.v_asset_register as asset on asset.asset_id = work.asset_id
where %(facility)s::text is null or asset.facility = %(facility)s::text
order by
    array_position(array['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'], work.priority),
    work.sla_due_at nulls last, work.opened_at, work.number
