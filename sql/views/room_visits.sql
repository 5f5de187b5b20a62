-- Who was in which room, from when to when?
drop view if exists reporting.room_visits;
create view reporting.room_visits with (security_invoker = true) as
select
    visit.organization_id,
    visit.facility_id,
    visit.id as visit_id,
    visit.asset_id,
    asset.tag_number,
    asset.name as asset_name,
    asset.category,
    building.code as building_code,
    floor.code as floor_code,
    visit.room_id,
    room.code as room_code,
    room.name as room_name,
    visit.entered_at,
    visit.left_at,
    visit.left_at - visit.entered_at as duration,
    visit.initial,
    visit.entry_reason,
    visit.exit_reason,
    visit.confidence,
    visit.contenders
from tracking.room_visit as visit
join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
join registry.room on room.id = visit.room_id
join registry.floor on floor.id = room.floor_id
join registry.building on building.id = floor.building_id;

comment on view reporting.room_visits is
    'Every visit of an asset to a room; open ones have no left_at.';
comment on column reporting.room_visits.duration is 'NULL while the asset is inside.';
comment on column reporting.room_visits.initial is 'It was inside when first seen.';
comment on column reporting.room_visits.entry_reason is 'What decided the entry.';
comment on column reporting.room_visits.exit_reason is 'What decided the exit; timeout: not heard.';
comment on column reporting.room_visits.contenders is 'What it was weighed against, with figures.';
grant select on reporting.room_visits to biotrakr_analyst, biotrakr_app;
