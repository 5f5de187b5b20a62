-- name: X03 alerts_unescalated
-- title: Which alerts should have been escalated and were not?
-- audience: O
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: severity, type, facility, asset_tag, room, raised_at, escalation_due, minutes_overdue,
--          owner
-- notes: One row an open alert that nobody has acknowledged, beyond the delay of its asset's alert
--        policy, the longest first.
select
    alert.severity,
    alert.type,
    alert.facility,
    alert.asset as asset_tag,
    alert.room,
    alert.raised_at,
    alert.escalation_due,
    round(extract(epoch from %(as_of)s::timestamptz - alert.escalation_due) / 60)
        as minutes_overdue,
    alert.custodian as owner
from reporting.f_v_alerts_open(%(as_of)s::timestamptz) as alert
where alert.escalation_due < %(as_of)s::timestamptz
    and not alert.escalated
    and alert.ack_by is null
    and not alert.late
    and (%(facility)s::text is null or alert.facility = %(facility)s::text)
order by alert.escalation_due, alert.asset
