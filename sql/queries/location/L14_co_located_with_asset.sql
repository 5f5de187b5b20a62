-- name: L14 co_located_with_asset
-- title: What was in the same room as this asset, or within so many metres of it?
-- audience: Q
-- param: tag text
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: metres numeric = 2
-- columns: asset_tag, name, category, same_room_min, rooms, first_together_at, last_together_at,
--          near_windows, nearest_m
-- notes: One row another asset, the longest together first: for tracing infections. Minutes in the
--        same room come from visits; near_windows is how many windows of the dataflow both were
--        located on the same floor within metres, by the middles of their error circles.
with subject as (
    select asset.id, asset.organization_id
    from registry.asset
    where asset.tag_number = %(tag)s::text and asset.deleted_at is null
),
together as (
    select
        other.asset_id,
        sum(extract(epoch from
            least(
                coalesce(mine.left_at, 'infinity'), coalesce(other.left_at, 'infinity'),
                %(to)s::timestamptz
            )
            - greatest(mine.entered_at, other.entered_at, %(from)s::timestamptz)
        )) / 60 as minutes,
        string_agg(distinct room.code, ', ' order by room.code) as rooms,
        min(greatest(mine.entered_at, other.entered_at, %(from)s::timestamptz)) as first_at,
        max(least(
            coalesce(mine.left_at, 'infinity'), coalesce(other.left_at, 'infinity'),
            %(to)s::timestamptz
        )) as last_at
    from subject
    join tracking.room_visit as mine on mine.organization_id = subject.organization_id
        and mine.asset_id = subject.id
    join tracking.room_visit as other on other.organization_id = mine.organization_id
        and other.room_id = mine.room_id
        and other.asset_id <> mine.asset_id
        and other.entered_at < least(coalesce(mine.left_at, 'infinity'), %(to)s::timestamptz)
        and coalesce(other.left_at, 'infinity')
        > greatest(mine.entered_at, %(from)s::timestamptz)
    join registry.room on room.id = mine.room_id
    where mine.entered_at < %(to)s::timestamptz
        and coalesce(mine.left_at, 'infinity') > %(from)s::timestamptz
    group by other.asset_id
),
near as (
    select
        other.asset_id,
        count(*) as windows,
        min(apart.m) as nearest_m,
        min(other.ts) as first_at,
        max(other.ts) as last_at
    from reporting.location_history as mine
    join reporting.location_history as other on other.ts = mine.ts
        and other.building_id = mine.building_id
        and other.floor_id = mine.floor_id
        and other.asset_id <> mine.asset_id
    cross join lateral (
        select sqrt((other.x_m - mine.x_m) ^ 2 + (other.y_m - mine.y_m) ^ 2) as m
    ) as apart
    where mine.asset_id = (select subject.id from subject)
        and mine.ts >= %(from)s::timestamptz
        and mine.ts < %(to)s::timestamptz
        and other.ts >= %(from)s::timestamptz
        and other.ts < %(to)s::timestamptz
        and apart.m <= %(metres)s::numeric::double precision
    group by other.asset_id
)
select
    asset.tag_number as asset_tag,
    asset.name,
    asset.category,
    coalesce(round(together.minutes, 1), 0) as same_room_min,
    together.rooms,
    least(together.first_at, near.first_at) as first_together_at,
    greatest(together.last_at, near.last_at) as last_together_at,
    coalesce(near.windows, 0) as near_windows,
    round(near.nearest_m::numeric, 1) as nearest_m
from together
full join near on near.asset_id = together.asset_id
join registry.asset on asset.id = coalesce(together.asset_id, near.asset_id)
    and asset.deleted_at is null
order by same_room_min desc, near_windows desc, asset.tag_number
