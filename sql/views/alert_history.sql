-- Every transition of every alert, with what decided it.
drop view if exists reporting.alert_history;
create view reporting.alert_history with (security_invoker = true) as
select
    event.organization_id,
    alert.facility_id,
    event.alert_id,
    event.revision,
    event.state,
    event.at,
    alert.type,
    alert.severity,
    rule.code as rule_code,
    alert.asset_id,
    asset.tag_number,
    asset.name as asset_name,
    zone.code as zone_code,
    alert.opened_at,
    event.at - alert.opened_at as after_opening,
    alert.late,
    event.reason,
    event.evidence
from tracking.alert_event as event
join tracking.alert on alert.id = event.alert_id
join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
join registry.rule on rule.id = alert.rule_id
left join registry.zone on zone.id = alert.zone_id;

comment on view reporting.alert_history is
    'One row a transition, in order of (alert_id, revision).';
comment on column reporting.alert_history.at is 'Event time of the transition.';
comment on column reporting.alert_history.after_opening is 'From the opening to this transition.';
comment on column reporting.alert_history.evidence is 'Figures, window and contenders behind it.';
grant select on reporting.alert_history to biotrakr_analyst, biotrakr_app;
