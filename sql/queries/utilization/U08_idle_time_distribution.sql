-- name: U08 idle_time_distribution
-- title: In which units does equipment lie idle for long stretches?
-- audience: N
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: hours numeric = 24
-- param: facility text = null
-- columns: facility, unit, device_type, stretches, assets, median_h, p90_h, longest_h, total_h
-- notes: One row a facility, department of the room and type: stretches in state AVAILABLE of more
--        than so many hours, by presence. Long ones in a ward rather than in a store are a sign of
--        hoarding. Stretches count as far as they lie in the time; unknown time ends a stretch.
select
    facility.code as facility,
    department.code as unit,
    type.code as device_type,
    count(*) as stretches,
    count(distinct idle.asset_id) as assets,
    round((percentile_cont(0.5) within group (order by length.h))::numeric, 1) as median_h,
    round((percentile_cont(0.9) within group (order by length.h))::numeric, 1) as p90_h,
    round(max(length.h)::numeric, 1) as longest_h,
    round(sum(length.h)::numeric, 1) as total_h
from reporting.usage_pieces(%(from)s::timestamptz, %(to)s::timestamptz) as idle
cross join lateral (
    select extract(epoch from idle.ended_at - idle.started_at)::double precision / 3600 as h
) as length
join registry.asset on asset.id = idle.asset_id and asset.deleted_at is null
join registry.facility on facility.id = idle.facility_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as type on type.id = model.device_type_id
left join registry.room on room.id = idle.room_id
left join registry.department on department.id = room.department_id
where idle.state = 'AVAILABLE'
    and idle.method = 'presence'
    and length.h > %(hours)s::numeric
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by facility.code, department.code, type.code
order by total_h desc, facility.code, department.code, type.code
