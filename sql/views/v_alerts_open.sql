-- Which alerts are open, since when, and when must somebody have taken them up?
create function reporting.f_v_alerts_open(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    alert_id uuid,
    type text,
    severity text,
    asset text,
    room text,
    raised_at timestamptz,
    age_min bigint,
    ack_by text,
    escalation_due timestamptz,
    escalated boolean,
    asset_id uuid,
    rule text,
    facility text,
    acknowledged_at timestamptz,
    custodian text,
    department text,
    late boolean
)
language sql stable
begin atomic
    select
        alert.organization_id,
        alert.facility_id,
        alert.id,
        alert.type,
        alert.severity,
        asset.tag_number,
        room.code,
        alert.opened_at,
        floor(extract(epoch from as_of - alert.opened_at) / 60)::bigint,
        case when alert.acknowledged_at <= as_of then alert.acknowledged_by end,
        case
            when policy.escalation_enabled
            then alert.opened_at + make_interval(hours => policy.escalation_delay_h)
        end,
        exists (
            select from tracking.alert_event as step
            where step.alert_id = alert.id and step.state = 'escalated' and step.at <= as_of
        ),
        alert.asset_id,
        rule.code,
        facility.code,
        case when alert.acknowledged_at <= as_of then alert.acknowledged_at end,
        custodian.display_name,
        department.name,
        alert.late
    from tracking.alert
    join registry.facility on facility.id = alert.facility_id
    join registry.rule on rule.id = alert.rule_id
    join registry.asset on asset.id = alert.asset_id and asset.deleted_at is null
    left join registry.user_account as custodian on custodian.id = asset.custodian_id
    left join registry.department on department.id = asset.department_id
    left join tracking.asset_location_current as place on place.asset_id = alert.asset_id
    left join registry.room on room.id = place.room_id
    left join registry.alert_policy as policy
        on policy.deleted_at is null
        and policy.organization_id = alert.organization_id
        and case
            when asset.alert_policy_id is null then policy.is_default
            else policy.id = asset.alert_policy_id
        end
    where alert.opened_at <= as_of
        and coalesce(alert.resolved_at, 'infinity') > as_of;
end;
create view reporting.v_alerts_open with (security_invoker = true) as
select * from reporting.f_v_alerts_open(now());

comment on function reporting.f_v_alerts_open(timestamptz) is
    'reporting.v_alerts_open at a time; rooms and policies are the present ones.';
comment on view reporting.v_alerts_open is 'Alerts that are not resolved.';
comment on column reporting.v_alerts_open.room is 'Where the asset is now; it may have moved since.';
comment on column reporting.v_alerts_open.ack_by is 'Who took it up; NULL: nobody yet.';
comment on column reporting.v_alerts_open.escalation_due is
    'By the asset''s alert policy, else the default one; NULL: it does not escalate.';
grant execute on function reporting.f_v_alerts_open(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_alerts_open to biotrakr_analyst, biotrakr_app;
