-- name: X01 open_alerts
-- title: Which alerts are open, how bad, since when, and who is on them?
-- audience: N, B
-- param: facility text = null
-- param: severity text = null
-- param: as_of timestamptz = now
-- columns: severity, type, facility, asset_tag, room, raised_at, age_min, owner, department,
--          acknowledged_by, escalation_due, escalated, late
-- notes: One row an alert, the most severe and oldest first. owner is the asset's custodian, room
--        where the asset is now. late: found when history was computed again; nobody was paged.
select
    alert.severity,
    alert.type,
    alert.facility,
    alert.asset as asset_tag,
    alert.room,
    alert.raised_at,
    alert.age_min,
    alert.custodian as owner,
    alert.department,
    alert.ack_by as acknowledged_by,
    alert.escalation_due,
    alert.escalated,
    alert.late
from reporting.f_v_alerts_open(%(as_of)s::timestamptz) as alert
where (%(facility)s::text is null or alert.facility = %(facility)s::text)
    and (%(severity)s::text is null or alert.severity = %(severity)s::text)
order by
    array_position(array['CRITICAL', 'ERROR', 'WARNING', 'INFO'], alert.severity),
    alert.raised_at, alert.asset
