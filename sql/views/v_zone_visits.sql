-- Who was in which room or zone, from when to when, and how is that known? Rooms and zones are rows
-- of their own: a zone that is a whole room gives two.
create function reporting.f_v_zone_visits(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    room_id uuid,
    entered_at timestamptz,
    left_at timestamptz,
    duration interval,
    source text,
    confidence real,
    visit_id uuid,
    place_kind text,
    zone_id uuid,
    place text,
    initial boolean,
    revision integer
)
language sql stable
begin atomic
    select
        visit.organization_id,
        visit.facility_id,
        visit.asset_id,
        visit.room_id,
        visit.entered_at,
        case when visit.left_at <= as_of then visit.left_at end,
        least(coalesce(visit.left_at, as_of), as_of) - visit.entered_at,
        visit.entry_reason,
        visit.confidence,
        visit.id,
        'room',
        null::uuid,
        room.code,
        visit.initial,
        visit.revision
    from tracking.room_visit as visit
    join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
    join registry.room on room.id = visit.room_id
    where visit.entered_at <= as_of
    union all
    select
        visit.organization_id,
        visit.facility_id,
        visit.asset_id,
        zone.room_id,
        visit.entered_at,
        case when visit.left_at <= as_of then visit.left_at end,
        least(coalesce(visit.left_at, as_of), as_of) - visit.entered_at,
        visit.entry_reason,
        visit.confidence,
        visit.id,
        'zone',
        visit.zone_id,
        zone.code,
        visit.initial,
        visit.revision
    from tracking.zone_visit as visit
    join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
    join registry.zone on zone.id = visit.zone_id
    where visit.entered_at <= as_of;
end;
create view reporting.v_zone_visits with (security_invoker = true) as
select * from reporting.f_v_zone_visits(now());

comment on function reporting.f_v_zone_visits(timestamptz) is
    'reporting.v_zone_visits as it stood at a time: what came later is not in it.';
comment on view reporting.v_zone_visits is
    'Every visit to a room or zone; without left_at it goes on.';
comment on column reporting.v_zone_visits.duration is 'So far, while it goes on.';
comment on column reporting.v_zone_visits.source is 'What decided the entry.';
comment on column reporting.v_zone_visits.place_kind is 'room or zone';
comment on column reporting.v_zone_visits.initial is
    'It was inside when first seen: entered_at is a bound.';
comment on column reporting.v_zone_visits.revision is
    '0: as first written; else history was computed again.';
grant execute on function reporting.f_v_zone_visits(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_zone_visits to biotrakr_analyst, biotrakr_app;
