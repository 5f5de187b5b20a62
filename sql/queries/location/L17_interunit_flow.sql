-- name: L17 interunit_flow
-- title: How much equipment moves from which unit to which?
-- audience: N, O
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: category text = null
-- columns: from_unit, to_unit, moves, assets, median_h_before
-- notes: One row a pair of departments, the most moves first. A move is a visit to a room of one
--        department after one of another; rooms of no department, such as corridors, are passed
--        over. median_h_before: how long it had been in the unit it left.
with visit as (
    select
        visit.asset_id,
        department.code as unit,
        visit.entered_at,
        lag(department.code) over trail as from_unit,
        lag(visit.entered_at) over trail as from_at
    from tracking.room_visit as visit
    join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = visit.facility_id
    join registry.room on room.id = visit.room_id
    join registry.department on department.id = room.department_id
    where visit.entered_at >= %(from)s::timestamptz
        and visit.entered_at < %(to)s::timestamptz
        and (%(facility)s::text is null or facility.code = %(facility)s::text)
        and (%(category)s::text is null or asset.category = %(category)s::text)
    window trail as (partition by visit.asset_id order by visit.entered_at, visit.id)
),
arrival as (
    select
        visit.*,
        -- The stay began with the first visit to the unit in a row.
        max(visit.entered_at) filter (where visit.from_unit is distinct from visit.unit) over (
            partition by visit.asset_id order by visit.entered_at
        ) as stay_since
    from visit
),
move as (
    select
        arrival.*,
        lag(arrival.stay_since) over (
            partition by arrival.asset_id order by arrival.entered_at
        ) as was_since
    from arrival
)
select
    move.from_unit,
    move.unit as to_unit,
    count(*) as moves,
    count(distinct move.asset_id) as assets,
    round((percentile_cont(0.5) within group (
        order by extract(epoch from move.entered_at - move.was_since)
    ) / 3600)::numeric, 2) as median_h_before
from move
where move.from_unit <> move.unit
group by move.from_unit, move.unit
order by moves desc, move.from_unit, move.unit
