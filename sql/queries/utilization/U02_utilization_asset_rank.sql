-- name: U02 utilization_asset_rank
-- title: Which assets are used most, or least?
-- audience: N
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: method text = presence
-- param: least bool = false
-- param: most int = 50
-- columns: asset_tag, name, device_type, facility, in_use_h, available_h, unknown_h,
--          utilization_pct
-- notes: One row an asset and facility, by one method of evidence. An asset of which only unknown
--        time is on record has no utilization and no rank. least: the least used first.
with ranked as (
    select
        used.asset_id,
        used.facility_id,
        used.device_type_id,
        sum(used.in_use_min) as in_use_min,
        sum(used.available_min) as available_min,
        sum(used.unknown_min) as unknown_min,
        sum(used.in_use_min) / nullif(sum(used.in_use_min + used.available_min), 0) as share
    from reporting.usage_days(%(from)s::timestamptz, %(to)s::timestamptz) as used
    join registry.facility on facility.id = used.facility_id
    where used.method = %(method)s::text
        and (%(facility)s::text is null or facility.code = %(facility)s::text)
    group by used.asset_id, used.facility_id, used.device_type_id
)
select
    asset.tag_number as asset_tag,
    asset.name,
    type.code as device_type,
    facility.code as facility,
    round(ranked.in_use_min / 60, 1) as in_use_h,
    round(ranked.available_min / 60, 1) as available_h,
    round(ranked.unknown_min / 60, 1) as unknown_h,
    round(100 * ranked.share, 1) as utilization_pct
from ranked
join registry.asset on asset.id = ranked.asset_id
join registry.facility on facility.id = ranked.facility_id
left join registry.device_type as type on type.id = ranked.device_type_id
where ranked.share is not null
order by
    case when %(least)s::bool then ranked.share else - ranked.share end, asset.tag_number,
    facility.code
limit %(most)s::int
