-- name: U07 usage_heatmap
-- title: At which hours of which weekdays is equipment in use?
-- audience: N
-- param: from timestamptz = now - 28 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: type text = null
-- param: method text = presence
-- columns: weekday, hour, in_use_h, available_h, unknown_h, in_use_pct
-- notes: One row a weekday (1 is Monday) and hour of the clock on the wall of the facility that owns
--        the asset. in_use_pct is use over use and availability, NULL without either. The hour that
--        summer time repeats holds both, the one it skips nothing.
select
    extract(isodow from wall.clock)::integer as weekday,
    extract(hour from wall.clock)::integer as hour,
    round(sum(state.in_use_min) / 60, 2) as in_use_h,
    round(sum(state.available_min) / 60, 2) as available_h,
    round(sum(state.unknown_min) / 60, 2) as unknown_h,
    round(
        100 * sum(state.in_use_min) / nullif(sum(state.in_use_min + state.available_min), 0), 1
    ) as in_use_pct
from reporting.asset_state_hours(%(from)s::timestamptz, %(to)s::timestamptz) as state
join registry.facility on facility.id = state.facility_id
join registry.asset on asset.id = state.asset_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as type on type.id = model.device_type_id
cross join lateral (select state.hour at time zone facility.time_zone as clock) as wall
where state.method = %(method)s::text
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
    and (%(type)s::text is null or type.code = %(type)s::text)
group by extract(isodow from wall.clock), extract(hour from wall.clock)
order by weekday, hour
