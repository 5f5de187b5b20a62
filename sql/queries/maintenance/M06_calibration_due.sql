-- name: M06 calibration_due
-- title: Which calibrations are due, overdue, failed or not traceable?
-- audience: B
-- param: days int = 30
-- param: as_of timestamptz = now
-- columns: status, asset_tag, name, manufacturer, model, facility, due_on, days_to_due, last_done,
--          result, standard_used, certificate_number, traceable
-- notes: One row an asset and calibration schedule that is due within days or is not in order,
--        worst first. standard_used is the reference of the newest calibration; traceable false:
--        it was itself out of calibration then.
with calibrated as materialized (
    select *
    from reporting.f_v_calibration_status(%(as_of)s::timestamptz)
)
select
    calibrated.status,
    asset.asset_tag,
    asset.name,
    asset.manufacturer,
    asset.model,
    asset.facility,
    calibrated.due_on,
    calibrated.due_on - local.day as days_to_due,
    calibrated.last_done,
    calibrated.result,
    calibrated.standard_used,
    newest.certificate_number,
    calibrated.traceable
from calibrated
join reporting.v_asset_register as asset on asset.asset_id = calibrated.asset_id
join registry.facility on facility.id = asset.facility_id
cross join lateral (
    select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
) as local
left join lateral (
    select calibration.certificate_number
    from maintenance.calibration
    where calibration.asset_id = calibrated.asset_id
        and calibration.performed_on = calibrated.last_done
        and (calibration.schedule_id is null or calibrated.schedule_id is null
            or calibration.schedule_id = calibrated.schedule_id)
        and calibration.deleted_at is null
    order by calibration.created_at desc
    limit 1
) as newest on true
where calibrated.status in ('NEVER', 'FAILED', 'NOT_TRACEABLE', 'OVERDUE')
    or calibrated.due_on <= local.day + %(days)s::int
order by
    array_position(
        array['FAILED', 'NOT_TRACEABLE', 'NEVER', 'OVERDUE', 'DUE', 'CURRENT'], calibrated.status
    ),
    calibrated.due_on, asset.asset_tag
