-- name: L10 left_building
-- title: What was last seen at a way out and has been silent since?
-- audience: B
-- param: silent_minutes numeric = 30
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, building, exit_zone, at_exit_since, last_seen_at,
--          minutes_silent, transfer_status
-- notes: One row an asset whose last reads came from inside a zone that is marked as an exit.
select
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    building.code as building,
    zone.code as exit_zone,
    visit.entered_at as at_exit_since,
    place.last_seen_at,
    round(extract(epoch from %(as_of)s::timestamptz - place.last_seen_at) / 60) as minutes_silent,
    transfer.status as transfer_status
from tracking.asset_location_current as place
join registry.asset on asset.id = place.asset_id
    and asset.deleted_at is null
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
join registry.facility on facility.id = place.facility_id
join registry.building on building.id = place.building_id
join tracking.zone_visit as visit on visit.organization_id = place.organization_id
    and visit.asset_id = place.asset_id
    and visit.entered_at <= place.last_seen_at
    -- A visit that ended by silence ends at the last read or later.
    and coalesce(visit.left_at, 'infinity') >= place.last_seen_at
join registry.zone on zone.id = visit.zone_id and zone.is_exit
left join registry.transfer on transfer.organization_id = place.organization_id
    and transfer.asset_id = place.asset_id
    and transfer.status in ('REQUESTED', 'APPROVED', 'IN_TRANSIT')
    and transfer.deleted_at is null
where place.last_seen_at
    < %(as_of)s::timestamptz
    - make_interval(secs => 60 * %(silent_minutes)s::numeric::double precision)
order by place.last_seen_at desc, asset.tag_number
