-- name: O10 assigned_never_seen
-- title: Which tags were put on an asset and never heard there?
-- audience: O
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, tags, assigned_at, days, last_seen_at
-- notes: One row an asset in service that has not been located since it got the tag it wears longest:
--        the tag is dead, was mistyped, or the asset is where nothing listens. last_seen_at is by an
--        earlier tag.
select
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    worn.tags,
    worn.since as assigned_at,
    floor(extract(epoch from %(as_of)s::timestamptz - worn.since) / 86400)::integer as days,
    place.last_seen_at
from (
    select
        assigned.asset_id,
        string_agg(tag.name, ', ' order by tag.name) as tags,
        min(lower(assigned.during)) as since
    from registry.tag_assignment as assigned
    join registry.tag on tag.id = assigned.tag_id
    where assigned.during @> %(as_of)s::timestamptz
    group by assigned.asset_id
) as worn
join registry.asset on asset.id = worn.asset_id
    and asset.deleted_at is null
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
join registry.facility on facility.id = asset.facility_id
left join tracking.asset_location_current as place on place.asset_id = asset.id
where coalesce(place.last_seen_at < worn.since, true)
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by worn.since, asset.tag_number
