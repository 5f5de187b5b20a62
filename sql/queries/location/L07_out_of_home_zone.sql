-- name: L07 out_of_home_zone
-- title: What has been away from its home room for too long?
-- audience: N
-- param: hours numeric = 4
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, home_room, facility, room, away_since, hours_away, is_stale
-- notes: One row an asset with a home room, the longest first. away_since is when it last left its
--        home room; NULL: it was never seen there, and it is listed.
select
    place.asset_tag,
    asset.name,
    place.home_room,
    place.facility,
    place.room,
    home.left_at as away_since,
    round(extract(epoch from %(as_of)s::timestamptz - home.left_at) / 3600, 1) as hours_away,
    place.is_stale
from reporting.f_v_asset_current_location(%(as_of)s::timestamptz) as place
join registry.asset on asset.id = place.asset_id
left join lateral (
    select visit.left_at
    from tracking.room_visit as visit
    where visit.organization_id = place.organization_id
        and visit.asset_id = place.asset_id
        and visit.room_id = place.home_room_id
        and visit.entered_at <= %(as_of)s::timestamptz
    order by visit.entered_at desc
    limit 1
) as home on true
where place.home_room_id is not null
    and place.room_id is distinct from place.home_room_id
    and (
        home.left_at is null
        or %(as_of)s::timestamptz - home.left_at
        > make_interval(secs => 3600 * %(hours)s::numeric::double precision)
    )
    and (%(facility)s::text is null or place.facility = %(facility)s::text)
order by hours_away desc nulls first, place.asset_tag
