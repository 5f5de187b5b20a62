-- name: C04 safety_test_due
-- title: Which electrical safety tests are due, overdue, failed or were never done?
-- audience: Q, B
-- param: days int = 30
-- param: as_of timestamptz = now
-- columns: status, asset_tag, name, category, facility, due_on, days_to_due, last_test, result,
--          standard, room
-- notes: One row an asset that is scheduled for inspection or was tested, due within days or not in
--        order, worst first. standard is the code and edition that the newest test went by.
select
    test.status,
    register.asset_tag,
    register.name,
    register.category,
    register.facility,
    test.due_on,
    test.due_on - local.day as days_to_due,
    test.last_test,
    test.result,
    test.standard,
    room.name as room
from reporting.f_v_safety_inspection_status(%(as_of)s::timestamptz) as test
join reporting.v_asset_register as register on register.asset_id = test.asset_id
join registry.facility on facility.id = register.facility_id
cross join lateral (
    select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
) as local
left join tracking.asset_location_current as place on place.asset_id = test.asset_id
left join registry.room on room.id = place.room_id
where test.status in ('NEVER', 'FAILED', 'OVERDUE')
    or test.due_on <= local.day + %(days)s::int
order by
    array_position(array['FAILED', 'NEVER', 'OVERDUE', 'DUE', 'CURRENT'], test.status),
    test.due_on, register.asset_tag
