-- name: U14 state_time_budget
-- title: On what does each type spend its hours?
-- audience: N, B
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: facility, device_type, method, assets, total_h, in_use_h, available_h, cleaning_h,
--          maintenance_h, unknown_h
-- notes: One row a facility, type and method. The states add up to total_h: the days on which an
--        asset has a session of that method, as far as they lie in the time.
select
    facility.code as facility,
    type.code as device_type,
    used.method,
    count(distinct used.asset_id) as assets,
    round(sum(
        used.in_use_min + used.available_min + used.cleaning_min + used.maintenance_min
        + used.unknown_min
    ) / 60, 2) as total_h,
    round(sum(used.in_use_min) / 60, 2) as in_use_h,
    round(sum(used.available_min) / 60, 2) as available_h,
    round(sum(used.cleaning_min) / 60, 2) as cleaning_h,
    round(sum(used.maintenance_min) / 60, 2) as maintenance_h,
    round(sum(used.unknown_min) / 60, 2) as unknown_h
from reporting.usage_days(%(from)s::timestamptz, %(to)s::timestamptz) as used
join registry.facility on facility.id = used.facility_id
left join registry.device_type as type on type.id = used.device_type_id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by facility.code, type.code, used.method
order by facility.code, type.code, used.method
