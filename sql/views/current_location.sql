-- Where is everything now? One row an asset that was ever located.
drop view if exists reporting.current_location;
create view reporting.current_location with (security_invoker = true) as
select
    place.organization_id,
    place.facility_id,
    place.asset_id,
    asset.tag_number,
    asset.name,
    asset.category,
    facility.code as facility_code,
    facility.name as facility_name,
    place.building_id,
    building.code as building_code,
    building.name as building_name,
    place.floor_id,
    floor.code as floor_code,
    floor.name as floor_name,
    place.room_id,
    room.code as room_code,
    room.name as room_name,
    place.x_m,
    place.y_m,
    place.z_m,
    place.accuracy_m,
    place.room_confidence,
    method.name as method,
    reason.name as reason,
    place.last_seen_at,
    place.moving
from tracking.asset_location_current as place
join registry.asset on asset.id = place.asset_id and asset.deleted_at is null
join registry.facility on facility.id = place.facility_id
join registry.building on building.id = place.building_id
left join registry.floor on floor.id = place.floor_id
left join registry.room on room.id = place.room_id
left join telemetry.location_method as method on method.code = place.method
left join telemetry.location_reason as reason on reason.code = place.reason;

comment on view reporting.current_location is 'Where every located asset is now.';
comment on column reporting.current_location.facility_id is
    'Where it is, which need not be who owns it.';
comment on column reporting.current_location.tag_number is 'The inventory number on its label.';
comment on column reporting.current_location.x_m is
    'Metres in the building''s plane; y_m likewise.';
comment on column reporting.current_location.z_m is 'Metres above the building''s zero.';
comment on column reporting.current_location.accuracy_m is
    'Radius around (x_m, y_m) that holds the truth 90 % of the time.';
comment on column reporting.current_location.room_confidence is 'Probability of the room, 0 to 1.';
comment on column reporting.current_location.method is 'How the position came about.';
comment on column reporting.current_location.reason is 'Why it is what it is.';
comment on column reporting.current_location.last_seen_at is 'When a tag of it was last heard.';
grant select on reporting.current_location to biotrakr_analyst, biotrakr_app;
