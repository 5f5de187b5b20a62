-- name: X05 alert_candidates_pm
-- title: What would the rule about preventive maintenance raise today?
-- audience: B
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, procedure, due_on, days_to_due, pm_status, days_before, rule,
--          room, custodian
-- notes: A dry run: one row a schedule that is due within the days that the asset's alert policy
--        asks for (else the default policy, else 14), or overdue. rule is NULL where no enabled rule
--        of type pm-due of the facility covers the asset: nothing would be sent.
select
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    due.procedure,
    due.due_on,
    due.days_to_due,
    due.pm_status,
    policy.days_before,
    rule.code as rule,
    due.room,
    custodian.display_name as custodian
from reporting.f_v_pm_schedule(%(as_of)s::timestamptz) as due
join registry.asset on asset.id = due.asset_id and asset.deleted_at is null
join registry.facility on facility.id = asset.facility_id
left join registry.user_account as custodian on custodian.id = asset.custodian_id
cross join lateral (
    select coalesce(
        (
            select own.pm_days_before
            from registry.alert_policy as own
            where own.id = asset.alert_policy_id and own.deleted_at is null
        ),
        (
            select usual.pm_days_before
            from registry.alert_policy as usual
            where usual.is_default
                and usual.organization_id = asset.organization_id
                and usual.deleted_at is null
        ),
        14
    ) as days_before
) as policy
left join lateral (
    select min(rule.code) as code
    from registry.rule
    where rule.facility_id = asset.facility_id
        and rule.type = 'pm-due'
        and rule.enabled
        and rule.deleted_at is null
        and (rule.categories = '{}' or asset.category = any (rule.categories))
) as rule on true
where due.days_to_due <= policy.days_before
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by due.due_on, asset.tag_number, due.procedure
