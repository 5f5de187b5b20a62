-- name: L09 geofence_breaches
-- title: What went where it must not be, when, for how long and in whose hands?
-- audience: Q
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: entered_at, left_at, minutes, facility, place, kind, rule, severity, asset_tag, name,
--          held_by, acknowledged
-- notes: One row a breach that began in the time: of a rule (kind rule), or a visit to a room that
--        is marked restricted (kind restricted room; nothing was alerted for it as such). held_by:
--        who had it checked out or ran it then.
with breach as (
    select
        broken.entered_at,
        broken.left_at,
        broken.facility_id,
        coalesce(broken.room, broken.zone) as place,
        'rule' as kind,
        broken.rule,
        broken.severity,
        broken.asset_id,
        broken.acknowledged
    from reporting.f_v_geofence_violations(%(to)s::timestamptz) as broken
    where broken.entered_at >= %(from)s::timestamptz
    union all
    select
        visit.entered_at,
        case when visit.left_at <= %(to)s::timestamptz then visit.left_at end,
        visit.facility_id,
        room.code,
        'restricted room',
        null,
        null,
        visit.asset_id,
        null
    from registry.room
    join tracking.room_visit as visit on visit.room_id = room.id
        and visit.organization_id = room.organization_id
    where room.restricted
        and visit.entered_at >= %(from)s::timestamptz
        and visit.entered_at <= %(to)s::timestamptz
)
select
    breach.entered_at,
    breach.left_at,
    round(extract(epoch from
        coalesce(breach.left_at, %(to)s::timestamptz) - breach.entered_at
    ) / 60, 1) as minutes,
    facility.code as facility,
    breach.place,
    breach.kind,
    breach.rule,
    breach.severity,
    asset.tag_number as asset_tag,
    asset.name,
    held.by as held_by,
    breach.acknowledged
from breach
join registry.asset on asset.id = breach.asset_id and asset.deleted_at is null
join registry.facility on facility.id = breach.facility_id
left join lateral (
    select string_agg(distinct coalesce(person.display_name, department.name), ', ') as by
    from registry.assignment as held
    left join registry.user_account as person on person.id = held.user_id
    left join registry.department on department.id = held.department_id
    where held.organization_id = asset.organization_id
        and held.asset_id = asset.id
        and held.kind in ('CHECKOUT', 'OPERATION')
        and held.during @> breach.entered_at
        and held.deleted_at is null
) as held on true
where %(facility)s::text is null or facility.code = %(facility)s::text
order by breach.entered_at, asset.tag_number, breach.kind
