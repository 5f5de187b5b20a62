-- name: U01 utilization_by_type
-- title: Which share of its available time is each type of equipment in use?
-- audience: N, C
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: method text = null
-- columns: month, facility, device_type, method, assets, in_use_h, available_h, unknown_h,
--          utilization_pct, unknown_pct
-- notes: One row a local month, facility, type and method: methods are never mixed, so compare like
--        with like. utilization_pct is use over use and availability, NULL without either; what is
--        not known is in unknown_h and never counts as idle. As context only: vendors report about
--        42 % for mobile devices, which nobody has checked independently.
select
    date_trunc('month', used.date)::date as month,
    facility.code as facility,
    type.code as device_type,
    used.method,
    count(distinct used.asset_id) as assets,
    round(sum(used.in_use_min) / 60, 1) as in_use_h,
    round(sum(used.available_min) / 60, 1) as available_h,
    round(sum(used.unknown_min) / 60, 1) as unknown_h,
    round(
        100 * sum(used.in_use_min) / nullif(sum(used.in_use_min + used.available_min), 0), 1
    ) as utilization_pct,
    round(100 * sum(used.unknown_min) / nullif(sum(
        used.in_use_min + used.available_min + used.cleaning_min + used.maintenance_min
        + used.unknown_min
    ), 0), 1) as unknown_pct
from reporting.usage_days(%(from)s::timestamptz, %(to)s::timestamptz) as used
join registry.facility on facility.id = used.facility_id
left join registry.device_type as type on type.id = used.device_type_id
where (%(facility)s::text is null or facility.code = %(facility)s::text)
    and (%(method)s::text is null or used.method = %(method)s::text)
group by date_trunc('month', used.date), facility.code, type.code, used.method
order by month, facility.code, type.code, used.method
