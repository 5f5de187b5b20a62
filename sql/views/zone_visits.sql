-- Who was in which zone, from when to when?
drop view if exists reporting.zone_visits;
create view reporting.zone_visits with (security_invoker = true) as
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
    visit.zone_id,
    zone.code as zone_code,
    zone.name as zone_name,
    visit.entered_at,
    visit.left_at,
    visit.left_at - visit.entered_at as duration,
    visit.initial,
    visit.entry_reason,
    visit.exit_reason,
    visit.confidence,
    visit.contenders
from tracking.zone_visit as visit
join registry.asset on asset.id = visit.asset_id and asset.deleted_at is null
join registry.zone on zone.id = visit.zone_id
join registry.floor on floor.id = zone.floor_id
join registry.building on building.id = floor.building_id;

comment on view reporting.zone_visits is
    'Every visit of an asset to a zone; open ones have no left_at.';
comment on column reporting.zone_visits.duration is 'NULL while the asset is inside.';
comment on column reporting.zone_visits.initial is 'It was inside when first seen.';
comment on column reporting.zone_visits.entry_reason is 'What decided the entry.';
comment on column reporting.zone_visits.exit_reason is 'What decided the exit; timeout: not heard.';
comment on column reporting.zone_visits.contenders is 'What it was weighed against, with figures.';
grant select on reporting.zone_visits to biotrakr_analyst, biotrakr_app;
