-- name: L08 wrong_facility
-- title: Which assets are in a facility other than the one that owns them?
-- audience: C, B
-- param: as_of timestamptz = now
-- columns: asset_tag, name, owner_facility, facility, room, since, days, transfer_status,
--          last_seen_at
-- notes: One row an asset. since is when it came to this facility for good: its first visit there
--        after the last one elsewhere. transfer_status: a transfer under way explains it.
select
    place.asset_tag,
    asset.name,
    owner.code as owner_facility,
    place.facility,
    place.room,
    arrived.at as since,
    round(extract(epoch from %(as_of)s::timestamptz - arrived.at) / 86400, 1) as days,
    transfer.status as transfer_status,
    place.last_seen_at
from reporting.f_v_asset_current_location(%(as_of)s::timestamptz) as place
join registry.asset on asset.id = place.asset_id
join registry.facility as owner on owner.id = place.owner_facility_id
left join lateral (
    select min(visit.entered_at) as at
    from tracking.room_visit as visit
    where visit.organization_id = place.organization_id
        and visit.asset_id = place.asset_id
        and visit.facility_id = place.facility_id
        and visit.entered_at > coalesce((
            select max(other.entered_at)
            from tracking.room_visit as other
            where other.organization_id = place.organization_id
                and other.asset_id = place.asset_id
                and other.facility_id <> place.facility_id
        ), '-infinity')
) as arrived on true
left join registry.transfer on transfer.organization_id = place.organization_id
    and transfer.asset_id = place.asset_id
    and transfer.status in ('REQUESTED', 'APPROVED', 'IN_TRANSIT')
    and transfer.deleted_at is null
where place.facility_id <> place.owner_facility_id
order by since nulls first, place.asset_tag
