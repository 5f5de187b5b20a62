-- name: U03 underused_assets
-- title: Which assets were hardly used for so many days, and how much money is in them?
-- audience: C
-- param: days int = 30
-- param: below_pct numeric = 20
-- param: method text = presence
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, device_type, facility, in_use_h, available_h, unknown_h,
--          utilization_pct, book_value, currency
-- notes: One row an asset, the most valuable first within a currency (values of different currencies
--        are never added or compared). An asset that was not seen is unknown, not underused: it is
--        listed only when it was known for at least half of the time. book_value is the one last
--        computed (registry.asset_metric).
with total as (
    select
        used.asset_id,
        used.device_type_id,
        sum(used.in_use_min) as in_use_min,
        sum(used.available_min) as available_min,
        sum(used.unknown_min) as unknown_min,
        sum(
            used.in_use_min + used.available_min + used.cleaning_min + used.maintenance_min
        ) as known_min
    from reporting.usage_days(
        %(as_of)s::timestamptz - make_interval(days => %(days)s::int), %(as_of)s::timestamptz
    ) as used
    where used.method = %(method)s::text
    group by used.asset_id, used.device_type_id
)
select
    asset.tag_number as asset_tag,
    asset.name,
    type.code as device_type,
    facility.code as facility,
    round(total.in_use_min / 60, 1) as in_use_h,
    round(total.available_min / 60, 1) as available_h,
    round(total.unknown_min / 60, 1) as unknown_h,
    round(100 * total.in_use_min / (total.in_use_min + total.available_min), 1)
        as utilization_pct,
    metric.current_book_value as book_value,
    asset.currency_code as currency
from total
join registry.asset on asset.id = total.asset_id
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
join registry.facility on facility.id = asset.facility_id
left join registry.device_type as type on type.id = total.device_type_id
left join registry.asset_metric as metric on metric.organization_id = asset.organization_id
    and metric.asset_id = asset.id
    and metric.deleted_at is null
where total.in_use_min + total.available_min > 0
    and total.known_min >= 0.5 * 24 * 60 * %(days)s::int
    and 100 * total.in_use_min / (total.in_use_min + total.available_min)
    < %(below_pct)s::numeric
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by asset.currency_code, metric.current_book_value desc nulls last, asset.tag_number
