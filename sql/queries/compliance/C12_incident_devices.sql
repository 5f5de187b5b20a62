-- name: C12 incident_devices
-- title: Which devices were in incidents, are they kept aside, and which reports are due?
-- audience: Q
-- param: from timestamptz = now - 365 days
-- param: to timestamptz = now
-- param: as_of timestamptz = now
-- columns: number, occurred_at, harm, status, asset_tag, name, asset_status, quarantine,
--          quarantined_at, released_at, reportable, report_due_on, report_days_left,
--          report_sent_on, report_state, room
-- notes: One row an incident and device. quarantine: HELD, RELEASED or NONE. report_state: SENT,
--        SENT_LATE, DUE, OVERDUE, or NONE where none is due. The due date is kept with the
--        incident: 10 working days for a user facility in the United States. No patient data.
select
    incident.number,
    incident.occurred_at,
    incident.harm,
    incident.status,
    register.asset_tag,
    register.name,
    register.status as asset_status,
    case
        when device.quarantined_at is null then 'NONE'
        when device.released_at <= %(as_of)s::timestamptz then 'RELEASED'
        else 'HELD'
    end as quarantine,
    device.quarantined_at,
    device.released_at,
    incident.reportable,
    incident.report_due_on,
    case
        when incident.reportable and incident.report_sent_on is null
        then incident.report_due_on - local.day
    end as report_days_left,
    incident.report_sent_on,
    case
        when not incident.reportable then 'NONE'
        when incident.report_sent_on > incident.report_due_on then 'SENT_LATE'
        when incident.report_sent_on is not null then 'SENT'
        when incident.report_due_on < local.day then 'OVERDUE'
        else 'DUE'
    end as report_state,
    room.name as room
from compliance.incident
join registry.facility on facility.id = incident.facility_id
cross join lateral (
    select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
) as local
join compliance.incident_device as device
    on device.incident_id = incident.id and device.deleted_at is null
join reporting.v_asset_register as register on register.asset_id = device.asset_id
left join tracking.asset_location_current as place on place.asset_id = device.asset_id
left join registry.room on room.id = place.room_id
where incident.deleted_at is null
    and incident.occurred_at >= %(from)s::timestamptz
    and incident.occurred_at < %(to)s::timestamptz
order by incident.occurred_at desc, incident.number, register.asset_tag
