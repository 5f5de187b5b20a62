-- name: X02 alert_ack_time
-- title: How soon are alerts acknowledged and resolved?
-- audience: O
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: type, severity, alerts, acknowledged, resolved, ack_p50_min, ack_p90_min,
--          resolve_p50_min, resolve_p90_min
-- notes: One row a type and severity, of alerts raised in the time. Times are of those that were
--        acknowledged or resolved: alerts that nobody took up show in the counts, not in the times.
--        Late alerts (nobody was paged) are left out.
select
    alert.type,
    alert.severity,
    count(*) as alerts,
    count(alert.acknowledged_at) as acknowledged,
    count(alert.resolved_at) as resolved,
    round((percentile_cont(0.5) within group (order by waited.ack_s) / 60)::numeric, 1)
        as ack_p50_min,
    round((percentile_cont(0.9) within group (order by waited.ack_s) / 60)::numeric, 1)
        as ack_p90_min,
    round((percentile_cont(0.5) within group (order by waited.resolve_s) / 60)::numeric, 1)
        as resolve_p50_min,
    round((percentile_cont(0.9) within group (order by waited.resolve_s) / 60)::numeric, 1)
        as resolve_p90_min
from tracking.alert
join registry.facility on facility.id = alert.facility_id
join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
cross join lateral (
    select
        extract(epoch from alert.acknowledged_at - alert.opened_at) as ack_s,
        extract(epoch from alert.resolved_at - alert.opened_at) as resolve_s
) as waited
where alert.opened_at >= %(from)s::timestamptz
    and alert.opened_at < %(to)s::timestamptz
    and not alert.late
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
group by alert.type, alert.severity
order by alert.type, alert.severity
