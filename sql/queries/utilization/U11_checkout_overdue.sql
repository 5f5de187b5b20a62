-- name: U11 checkout_overdue
-- title: What is checked out and should be back?
-- audience: N
-- param: as_of timestamptz = now
-- param: facility text = null
-- columns: asset_tag, name, facility, held_by, department, checked_out_at, expected_return_at,
--          hours_overdue, room, last_seen_at
-- notes: One row a check-out that goes on beyond its expected return, the longest first. room: where
--        it is now. A check-out without an expected return is never overdue.
select
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    person.display_name as held_by,
    department.name as department,
    lower(held.during) as checked_out_at,
    held.expected_return_at,
    round(extract(epoch from %(as_of)s::timestamptz - held.expected_return_at) / 3600, 1)
        as hours_overdue,
    room.code as room,
    place.last_seen_at
from registry.assignment as held
join registry.asset on asset.id = held.asset_id and asset.deleted_at is null
join registry.facility on facility.id = asset.facility_id
left join registry.user_account as person on person.id = held.user_id
left join registry.department on department.id = held.department_id
left join tracking.asset_location_current as place on place.asset_id = asset.id
left join registry.room on room.id = place.room_id
where held.kind = 'CHECKOUT'
    and held.deleted_at is null
    and held.expected_return_at < %(as_of)s::timestamptz
    and held.during @> %(as_of)s::timestamptz
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by held.expected_return_at, asset.tag_number
