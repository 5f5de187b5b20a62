-- name: X10 alert_rule_coverage
-- title: Which assets in service does no alert rule cover?
-- audience: O, B
-- param: type text = null
-- param: facility text = null
-- columns: facility, category, asset_tag, name, criticality, geofence_enabled
-- notes: One row an asset that no enabled rule of its facility covers (a rule covers its categories,
--        or all of the facility). type asks about rules of one type only, such as pm-due. Rules about
--        stores (par) are about places and cover no asset. geofence_enabled: what its alert policy
--        says, NULL without one.
select
    facility.code as facility,
    asset.category,
    asset.tag_number as asset_tag,
    asset.name,
    asset.criticality,
    policy.geofence_enabled
from registry.asset
join registry.facility on facility.id = asset.facility_id
left join registry.alert_policy as policy on policy.organization_id = asset.organization_id
    and policy.deleted_at is null
    and case
        when asset.alert_policy_id is null then policy.is_default
        else policy.id = asset.alert_policy_id
    end
where asset.deleted_at is null
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    and not exists (
        select
        from registry.rule
        where rule.organization_id = asset.organization_id
            and rule.facility_id = asset.facility_id
            and rule.enabled
            and rule.deleted_at is null
            and rule.type <> 'par'
            and (%(type)s::text is null or rule.type = %(type)s::text)
            and (rule.categories = '{}' or asset.category = any (rule.categories))
    )
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by facility.code, asset.category, asset.tag_number
