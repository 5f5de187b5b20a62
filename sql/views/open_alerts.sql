-- What is wrong now, with what, where, for how long?
drop view if exists reporting.open_alerts;
create view reporting.open_alerts with (security_invoker = true) as
select
    alert.organization_id,
    alert.facility_id,
    facility.code as facility_code,
    alert.id as alert_id,
    alert.type,
    alert.severity,
    alert.state,
    alert.revision,
    rule.code as rule_code,
    alert.asset_id,
    asset.tag_number,
    asset.name as asset_name,
    asset.category,
    zone.code as zone_code,
    zone.name as zone_name,
    building.code as building_code,
    floor.code as floor_code,
    room.code as room_code,
    room.name as room_name,
    alert.opened_at,
    now() - alert.opened_at as age,
    alert.acknowledged_at,
    alert.acknowledged_by,
    alert.late,
    alert.reason
from tracking.alert
join registry.facility on facility.id = alert.facility_id
join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
join registry.rule on rule.id = alert.rule_id
left join registry.zone on zone.id = alert.zone_id
left join tracking.asset_location_current as place on place.asset_id = alert.asset_id
left join registry.building on building.id = place.building_id
left join registry.floor on floor.id = place.floor_id
left join registry.room on room.id = place.room_id
where alert.state <> 'resolved';

comment on view reporting.open_alerts is 'Alerts that are not resolved.';
comment on column reporting.open_alerts.zone_code is 'The zone that the rule is about.';
comment on column reporting.open_alerts.building_code is
    'Where the asset is now, as floor_code and room_code; it may have moved since.';
comment on column reporting.open_alerts.age is 'Since it was opened, by the clock of the database.';
comment on column reporting.open_alerts.late is 'Found in late reads: recorded, not paged.';
grant select on reporting.open_alerts to biotrakr_analyst, biotrakr_app;
