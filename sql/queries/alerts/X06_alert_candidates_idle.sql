-- name: X06 alert_candidates_idle
-- title: What would the rule about idle equipment raise today?
-- audience: N
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, idle_days, days_allowed, last_used_at, room, rule, custodian
-- notes: A dry run: one row an asset in service whose alert policy (else the default one) limits idle
--        days, that was last used longer ago by any evidence and has been seen since its limit began:
--        what nobody sees is missing, not idle. Never used: idle since it went into service. rule is
--        NULL where no enabled rule of type idle covers it.
select
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    floor(extract(epoch from %(as_of)s::timestamptz - idle.since) / 86400)::integer as idle_days,
    policy.idle_days as days_allowed,
    used.at as last_used_at,
    room.code as room,
    rule.code as rule,
    custodian.display_name as custodian
from registry.asset
join registry.facility on facility.id = asset.facility_id
join registry.alert_policy as policy on policy.organization_id = asset.organization_id
    and policy.deleted_at is null
    and policy.idle_days is not null
    and case
        when asset.alert_policy_id is null then policy.is_default
        else policy.id = asset.alert_policy_id
    end
join tracking.asset_location_current as place on place.asset_id = asset.id
left join registry.room on room.id = place.room_id
left join registry.user_account as custodian on custodian.id = asset.custodian_id
left join lateral (
    select least(coalesce(session.ended_at, %(as_of)s::timestamptz), %(as_of)s::timestamptz) as at
    from tracking.usage_session as session
    where session.organization_id = asset.organization_id
        and session.asset_id = asset.id
        and session.state = 'IN_USE'
        and session.started_at <= %(as_of)s::timestamptz
    order by session.started_at desc
    limit 1
) as used on true
cross join lateral (
    select coalesce(used.at, asset.in_service_on::timestamptz, asset.created_at) as since
) as idle
left join lateral (
    select min(rule.code) as code
    from registry.rule
    where rule.facility_id = asset.facility_id
        and rule.type = 'idle'
        and rule.enabled
        and rule.deleted_at is null
        and (rule.categories = '{}' or asset.category = any (rule.categories))
) as rule on true
where asset.deleted_at is null
    and asset.status in ('ACTIVE', 'IN_SERVICE')
    and idle.since < %(as_of)s::timestamptz - make_interval(days => policy.idle_days)
    and place.last_seen_at >= %(as_of)s::timestamptz - make_interval(days => policy.idle_days)
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by idle.since, asset.tag_number
