-- name: C03 aem_register
-- title: Which devices are on an alternative maintenance program, and is each one eligible?
-- audience: Q
-- param: history_days int = 365
-- param: as_of timestamptz = now
-- columns: asset_tag, name, category, procedure, interval_days, oem_interval_days, assessor,
--          assessed_on, rationale, review_due_on, problems, facility
-- notes: One row a schedule of an alternative program that runs. problems is empty for a sound one:
--        IMAGING or LASER (not allowed), NO_HISTORY (less than history_days in service at the
--        assessment), REVIEW_OVERDUE. oem_interval_days is the procedure's own interval.
select
    register.asset_tag,
    register.name,
    register.category,
    procedure.name as procedure,
    schedule.interval_days,
    procedure.interval_days as oem_interval_days,
    assessor.display_name as assessor,
    schedule.aem_assessed_on as assessed_on,
    schedule.aem_rationale as rationale,
    schedule.aem_review_due_on as review_due_on,
    array_remove(array[
        case when register.category = 'IMAGING' or kind.category = 'IMAGING' then 'IMAGING' end,
        case when kind.is_laser then 'LASER' end,
        case
            when coalesce(
                coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on)
                > schedule.aem_assessed_on - %(history_days)s::int, true
            ) then 'NO_HISTORY'
        end,
        case when schedule.aem_review_due_on < local.day then 'REVIEW_OVERDUE' end
    ], null) as problems,
    register.facility
from maintenance.schedule
join maintenance.procedure on procedure.id = schedule.procedure_id
join reporting.v_asset_register as register on register.asset_id = schedule.asset_id
join registry.asset on asset.id = schedule.asset_id
join registry.facility on facility.id = asset.facility_id
cross join lateral (
    select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
) as local
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as kind on kind.id = model.device_type_id
left join registry.user_account as assessor on assessor.id = schedule.aem_assessor_id
where schedule.strategy = 'AEM'
    and schedule.deleted_at is null
    and (schedule.ends_on is null or schedule.ends_on >= local.day)
    and register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
order by cardinality(array_remove(array[
    case when register.category = 'IMAGING' or kind.category = 'IMAGING' or kind.is_laser then 1 end
], null)) desc, schedule.aem_review_due_on, register.asset_tag
