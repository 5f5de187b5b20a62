-- name: X09 alert_flapping
-- title: Which alerts come and go many times a day?
-- audience: O
-- param: from timestamptz = now - 7 days
-- param: to timestamptz = now
-- param: times int = 3
-- param: facility text = null
-- columns: date, facility, rule, type, asset_tag, raised, cleared, shortest_min
-- notes: One row a local day, rule and asset with more than so many raised that day, the most first.
--        shortest_min is how long the shortest one was open.
select
    (alert.opened_at at time zone facility.time_zone)::date as date,
    facility.code as facility,
    rule.code as rule,
    alert.type,
    asset.tag_number as asset_tag,
    count(*) as raised,
    count(alert.resolved_at) as cleared,
    round(min(extract(epoch from alert.resolved_at - alert.opened_at)) / 60, 1) as shortest_min
from tracking.alert
join registry.facility on facility.id = alert.facility_id
join registry.rule on rule.id = alert.rule_id
join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
where alert.opened_at >= %(from)s::timestamptz
    and alert.opened_at < %(to)s::timestamptz
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by
    (alert.opened_at at time zone facility.time_zone)::date, facility.code, rule.code, alert.type,
    asset.tag_number
having count(*) > %(times)s::int
order by raised desc, date, facility.code, rule.code, asset.tag_number
