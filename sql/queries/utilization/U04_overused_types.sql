-- name: U04 overused_types
-- title: Of which types is nearly the whole fleet in use at busy times?
-- audience: N, C
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: above_pct numeric = 80
-- param: facility text = null
-- columns: facility, device_type, method, fleet, p95_concurrent, peak_concurrent, p95_pct
-- notes: One row a facility, type and method whose 95th percentile of concurrent use over time
--        exceeds above_pct of the fleet. The fleet is what the facility owns and has in service now;
--        borrowed units can make more than 100 %. Without a fleet there is no percentage, and it is
--        listed.
with busy as (
    select
        level.facility_id,
        level.device_type_id,
        level.method,
        min(level.level) filter (where level.share_up_to >= 0.95) as p95,
        max(level.level) as peak
    from reporting.concurrency(%(from)s::timestamptz, %(to)s::timestamptz) as level
    group by level.facility_id, level.device_type_id, level.method
),
fleet as (
    select asset.facility_id, model.device_type_id, count(*) as units
    from registry.asset
    join registry.device_model as model on model.id = asset.device_model_id
    where asset.deleted_at is null
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    group by asset.facility_id, model.device_type_id
)
select
    facility.code as facility,
    type.code as device_type,
    busy.method,
    coalesce(fleet.units, 0) as fleet,
    busy.p95 as p95_concurrent,
    busy.peak as peak_concurrent,
    round(100.0 * busy.p95 / fleet.units, 1) as p95_pct
from busy
join registry.facility on facility.id = busy.facility_id
join registry.device_type as type on type.id = busy.device_type_id
left join fleet on fleet.facility_id = busy.facility_id
    and fleet.device_type_id = busy.device_type_id
where busy.p95 > 0
    and coalesce(100.0 * busy.p95 / fleet.units > %(above_pct)s::numeric, true)
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by p95_pct desc nulls first, facility.code, type.code, busy.method
