-- name: U06 fleet_size_needed
-- title: How many units of a type are enough for this share of the time?
-- audience: C
-- param: from timestamptz = now - 90 days
-- param: to timestamptz = now
-- param: service_level numeric = 0.95
-- param: method text = presence
-- param: facility text = null
-- columns: facility, device_type, fleet, mean_concurrent, needed, peak_concurrent, surplus
-- notes: One row a facility and type. needed: the smallest number that covered the concurrent use
--        for service_level of the time; it holds no reserve for maintenance, cleaning or growth,
--        and demand that was turned away was never seen. surplus: the fleet in service now less
--        that, negative where there are too few.
with demand as (
    select
        level.facility_id,
        level.device_type_id,
        sum(level.level * level.seconds) / sum(level.seconds) as mean,
        min(level.level) filter (where level.share_up_to >= %(service_level)s::numeric) as needed,
        max(level.level) as peak
    from reporting.concurrency(%(from)s::timestamptz, %(to)s::timestamptz) as level
    where level.method = %(method)s::text
    group by level.facility_id, level.device_type_id
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
    coalesce(fleet.units, 0) as fleet,
    round(demand.mean, 2) as mean_concurrent,
    demand.needed,
    demand.peak as peak_concurrent,
    coalesce(fleet.units, 0) - demand.needed as surplus
from demand
join registry.facility on facility.id = demand.facility_id
join registry.device_type as type on type.id = demand.device_type_id
left join fleet on fleet.facility_id = demand.facility_id
    and fleet.device_type_id = demand.device_type_id
where %(facility)s::text is null or facility.code = %(facility)s::text
order by facility.code, type.code
