-- Who is inside which room or zone, since when, for how long?
drop view if exists reporting.inside_now;
create view reporting.inside_now with (security_invoker = true) as
select
    visit.organization_id,
    visit.facility_id,
    visit.id as visit_id,
    visit.place_kind,
    visit.place_id,
    coalesce(room.code, zone.code) as place_code,
    coalesce(room.name, zone.name) as place_name,
    floor.code as floor_code,
    building.code as building_code,
    visit.asset_id,
    asset.tag_number,
    asset.name,
    asset.category,
    visit.entered_at as since,
    now() - visit.entered_at as inside_for,
    visit.initial,
    visit.confidence
from (
    select
        organization_id, facility_id, id, 'room' as place_kind, room_id as place_id, asset_id,
        entered_at, initial, confidence
    from tracking.room_visit
    where left_at is null
    union all
    select
        organization_id, facility_id, id, 'zone', zone_id, asset_id,
        entered_at, initial, confidence
    from tracking.zone_visit
    where left_at is null
) as visit
join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
left join registry.room on visit.place_kind = 'room' and room.id = visit.place_id
left join registry.zone on visit.place_kind = 'zone' and zone.id = visit.place_id
join registry.floor on floor.id = coalesce(room.floor_id, zone.floor_id)
join registry.building on building.id = floor.building_id;

comment on view reporting.inside_now is
    'Assets inside a room or zone now; a zone may lie in a room.';
comment on column reporting.inside_now.visit_id is 'Ties the entry to the exit in the histories.';
comment on column reporting.inside_now.place_kind is 'room or zone';
comment on column reporting.inside_now.initial is
    'It was inside when first seen: since is a bound.';
comment on column reporting.inside_now.inside_for is 'Until the clock of the database, now.';
grant select on reporting.inside_now to biotrakr_analyst, biotrakr_app;
