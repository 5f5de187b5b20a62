-- name: M11 repair_history
-- title: What was ever done to this asset, with which parts and at what cost?
-- audience: B
-- param: tag text
-- columns: number, type, status, reported_at, completed_at, outcome, failure_category, technician,
--          vendor, labor_hours, labor_cost, vendor_cost, currency, parts, parts_cost,
--          downtime_h, resolution
-- notes: One row a work order, newest first. parts lists quantity and part number; parts_cost is an
--        amount for each currency, for these are never added up.
select
    work.number,
    work.type,
    work.status,
    work.reported_at,
    work.completed_at,
    work.outcome,
    work.failure_category,
    technician.display_name as technician,
    vendor.name as vendor,
    work.labor_hours,
    work.labor_cost,
    work.vendor_cost,
    work.currency_code as currency,
    used.parts,
    used.cost as parts_cost,
    round(coalesce(
        work.downtime_hours, extract(epoch from work.restored_at - work.failed_at) / 3600
    ), 2) as downtime_h,
    work.resolution
from reporting.v_asset_register as asset
join maintenance.work_order as work on work.asset_id = asset.asset_id and work.deleted_at is null
left join registry.user_account as technician on technician.id = work.technician_id
left join registry.vendor on vendor.id = work.vendor_id
left join lateral (
    select
        string_agg(by_currency.parts, ', ' order by by_currency.currency_code) as parts,
        string_agg(
            by_currency.cost || ' ' || by_currency.currency_code, ', '
            order by by_currency.currency_code
        ) as cost
    from (
        select
            item.currency_code::text as currency_code,
            string_agg(
                item.quantity || ' x ' || part.part_number, ', '
                order by part.part_number, item.quantity desc
            ) as parts,
            sum(item.quantity * item.unit_cost) as cost
        from maintenance.work_order_part as item
        join maintenance.spare_part as part on part.id = item.spare_part_id
        where item.work_order_id = work.id and item.deleted_at is null
        group by item.currency_code
    ) as by_currency
) as used on true
where upper(asset.asset_tag) = upper(btrim(%(tag)s::text))
order by work.reported_at desc, work.number
