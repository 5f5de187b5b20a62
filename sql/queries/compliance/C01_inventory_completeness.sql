-- name: C01 inventory_completeness
-- title: What equipment is in use, how risky is it, and by which strategy is it maintained?
-- audience: Q
-- param: facility text = null
-- columns: asset_tag, name, manufacturer, model, serial, category, device_class, criticality,
--          high_risk, strategy, schedules, interval_days, facility, department, missing
-- notes: One row an asset that is not retired: the inventory that accreditation asks for.
--        strategy: OEM, AEM, MIXED, or NONE where no preventive maintenance is scheduled;
--        interval_days is the shortest. missing lists what the inventory must say and does not.
select
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.serial,
    register.category,
    register.device_class,
    register.criticality,
    reporting.is_high_risk(
        register.category, register.criticality, register.device_class, kind.is_life_support
    ) as high_risk,
    case
        when coalesce(planned.schedules, 0) = 0 then 'NONE'
        when planned.strategies > 1 then 'MIXED'
        else planned.strategy
    end as strategy,
    coalesce(planned.schedules, 0) as schedules,
    planned.interval_days,
    register.facility,
    register.department,
    array_remove(array[
        case when asset.device_model_id is null then 'model' end,
        case when btrim(register.serial) = '' then 'serial' end,
        case when register.criticality is null then 'criticality' end,
        case when register.device_class is null then 'device_class' end,
        case when register.department is null then 'department' end,
        case when coalesce(planned.schedules, 0) = 0 then 'strategy' end
    ], null) as missing
from reporting.v_asset_register as register
join registry.asset on asset.id = register.asset_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as kind on kind.id = model.device_type_id
left join (
    select
        schedule.asset_id,
        count(*) as schedules,
        count(distinct schedule.strategy) as strategies,
        min(schedule.strategy::text) as strategy,
        min(schedule.interval_days) as interval_days
    from maintenance.schedule
    where schedule.kind = 'PM'
        and schedule.deleted_at is null
        and (schedule.ends_on is null or schedule.ends_on >= current_date)
    group by schedule.asset_id
) as planned on planned.asset_id = register.asset_id
where register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    and (%(facility)s::text is null or register.facility = %(facility)s::text)
order by high_risk desc, register.asset_tag
