-- name: O04 read_gap_analysis
-- title: In which rooms do assets fall silent: where are the holes in the coverage?
-- audience: O
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: gap interval = 2 minutes
-- param: facility text = null
-- param: most int = 100
-- columns: facility, building, floor, room, gaps, assets, longest_s, median_s, gaps_per_asset_hour
-- notes: One row a room (NULL: outside every room) with positions of an asset further apart than gap,
--        the most per hour of presence first; a gap belongs to the room where it began. The time
--        after an asset's last position is no gap here: it may have left (L06, L10).
with step as (
    select
        history.asset_id,
        history.building_id,
        history.floor_id,
        history.room_id,
        history.ts,
        lead(history.ts) over (
            partition by history.asset_id, history.building_id order by history.ts
        ) - history.ts as until_next
    from reporting.location_history as history
    where history.ts >= %(from)s::timestamptz and history.ts < %(to)s::timestamptz
),
hole as (
    select
        step.building_id,
        step.floor_id,
        step.room_id,
        count(*) filter (where step.until_next > %(gap)s::interval) as gaps,
        count(distinct step.asset_id) filter (where step.until_next > %(gap)s::interval) as assets,
        extract(epoch from max(step.until_next)) as longest_s,
        percentile_cont(0.5) within group (order by extract(epoch from step.until_next))
            filter (where step.until_next > %(gap)s::interval) as median_s,
        extract(epoch from sum(step.until_next)) / 3600 as hours
    from step
    where step.until_next is not null
    group by step.building_id, step.floor_id, step.room_id
)
select
    facility.code as facility,
    building.code as building,
    floor.code as floor,
    room.code as room,
    hole.gaps,
    hole.assets,
    round(hole.longest_s, 1) as longest_s,
    round(hole.median_s::numeric, 1) as median_s,
    round(hole.gaps / nullif(hole.hours, 0), 3) as gaps_per_asset_hour
from hole
join registry.building on building.id = hole.building_id
join registry.facility on facility.id = building.facility_id
left join registry.floor on floor.id = hole.floor_id
left join registry.room on room.id = hole.room_id
where hole.gaps > 0 and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by gaps_per_asset_hour desc, facility.code, building.code, floor.code, room.code
limit %(most)s::int
