-- name: X08 alert_candidates_battery
-- title: Whose tag needs a battery, and where is it?
-- audience: O
-- param: below_pct numeric = 20
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: tag, asset_tag, name, facility, room, battery_pct, told_at, last_seen_at, rule
-- notes: A dry run: one row a worn tag whose last word about its battery, within 30 days, is below
--        the limit; the emptiest first. Readings are worth what the tag says of itself. rule is NULL
--        where no enabled rule of type battery covers the asset.
select
    tag.name as tag,
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    room.code as room,
    battery.value as battery_pct,
    battery.ts as told_at,
    place.last_seen_at,
    rule.code as rule
from registry.tag_assignment as worn
join registry.tag on tag.id = worn.tag_id and tag.deleted_at is null
join registry.asset on asset.id = worn.asset_id
    and asset.deleted_at is null
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
join (
    select
        reading.source_id,
        public.last(reading.value, reading.ts) as value,
        max(reading.ts) as ts
    from reporting.sensor_reading as reading
    where reading.quantity = 'battery'
        and reading.ts > %(as_of)s::timestamptz - interval '30 days'
        and reading.ts <= %(as_of)s::timestamptz
    group by reading.source_id
) as battery on battery.source_id = tag.id
left join tracking.asset_location_current as place on place.asset_id = asset.id
join registry.facility on facility.id = coalesce(place.facility_id, asset.facility_id)
left join registry.room on room.id = place.room_id
left join lateral (
    select min(rule.code) as code
    from registry.rule
    where rule.facility_id = asset.facility_id
        and rule.type = 'battery'
        and rule.enabled
        and rule.deleted_at is null
        and (rule.categories = '{}' or asset.category = any (rule.categories))
) as rule on true
where worn.during @> %(as_of)s::timestamptz
    and battery.value < %(below_pct)s::numeric
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by battery.value, tag.name
