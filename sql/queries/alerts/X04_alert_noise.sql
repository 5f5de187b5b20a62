-- name: X04 alert_noise
-- title: Which assets and rules make the most alerts, and how many went away by themselves?
-- audience: O
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: most int = 50
-- columns: type, rule, facility, asset_tag, alerts, resolved, auto_resolved, auto_resolved_pct,
--          median_open_min
-- notes: One row a rule and asset, the most alerts first. Resolved without anybody having
--        acknowledged counts as by itself; without a resolved one the share is NULL.
select
    alert.type,
    rule.code as rule,
    facility.code as facility,
    asset.tag_number as asset_tag,
    count(*) as alerts,
    count(alert.resolved_at) as resolved,
    count(alert.resolved_at) filter (where alert.acknowledged_at is null) as auto_resolved,
    round(
        100.0 * count(alert.resolved_at) filter (where alert.acknowledged_at is null)
        / nullif(count(alert.resolved_at), 0), 1
    ) as auto_resolved_pct,
    round((percentile_cont(0.5) within group (
        order by extract(epoch from alert.resolved_at - alert.opened_at)
    ) / 60)::numeric, 1) as median_open_min
from tracking.alert
join registry.facility on facility.id = alert.facility_id
join registry.rule on rule.id = alert.rule_id
join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
where alert.opened_at >= %(from)s::timestamptz
    and alert.opened_at < %(to)s::timestamptz
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by alert.type, rule.code, facility.code, asset.tag_number
order by alerts desc, facility.code, asset.tag_number, rule.code
limit %(most)s::int
