-- name: U13 search_time_proxy
-- title: How much walking and searching may lie before a use?
-- audience: N, C
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: minutes_per_move numeric = 3
-- param: window interval = 1 hour
-- param: facility text = null
-- columns: facility, device_type, uses, uses_after_moves, moves, estimated_minutes
-- notes: An ESTIMATE, not a measurement. One row a facility and type: uses by presence that began in
--        the time; moves are the rooms, after the first one, that the unit passed through in the
--        window before it came to the room of use; each is taken for minutes_per_move of somebody's
--        time. Look-ups in a screen are not recorded.
with use as (
    select used.id, used.organization_id, used.facility_id, used.asset_id, used.started_at
    from tracking.usage_session as used
    where used.state = 'IN_USE'
        and used.method = 'presence'
        and used.started_at >= %(from)s::timestamptz
        and used.started_at < %(to)s::timestamptz
),
moved as (
    select
        use.facility_id,
        use.asset_id,
        greatest(passed.rooms - 1, 0) as moves
    from use
    cross join lateral (
        select count(*) as rooms
        from tracking.room_visit as visit
        where visit.organization_id = use.organization_id
            and visit.asset_id = use.asset_id
            and visit.entered_at >= use.started_at - %(window)s::interval
            and visit.entered_at < use.started_at
            and visit.left_at <= use.started_at
    ) as passed
)
select
    facility.code as facility,
    type.code as device_type,
    count(*) as uses,
    count(*) filter (where moved.moves > 0) as uses_after_moves,
    sum(moved.moves) as moves,
    round(sum(moved.moves) * %(minutes_per_move)s::numeric, 1) as estimated_minutes
from moved
join registry.asset on asset.id = moved.asset_id and asset.deleted_at is null
join registry.facility on facility.id = moved.facility_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as type on type.id = model.device_type_id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by facility.code, type.code
order by estimated_minutes desc, facility.code, type.code
