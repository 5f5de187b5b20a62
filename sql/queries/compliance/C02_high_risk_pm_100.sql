-- name: C02 high_risk_pm_100
-- title: Which high-risk devices did not get all of their preventive maintenance on time?
-- audience: Q
-- param: from date = today - 365 days
-- param: to date = today
-- param: as_of timestamptz = now
-- columns: asset_tag, name, category, facility, department, scheduled, on_time, late, not_located,
--          in_use, other_missed, pending, completion_pct
-- notes: One row a high-risk device with less than all of what came due from .. to done within its
--        grace. Pending (due, still within its grace) counts in scheduled. Left out: cancelled, and
--        due after it was retired or disposed of.
with due as (
    select
        asset.id as asset_id,
        occurrence.outcome,
        coalesce(occurrence.completed_on <= local.day, false) as done,
        coalesce(
            occurrence.completed_on <= local.day
            and occurrence.completed_on <= occurrence.grace_until, false
        ) as on_time,
        occurrence.grace_until >= local.day as in_grace
    from maintenance.occurrence
    join maintenance.schedule on schedule.id = occurrence.schedule_id
    join registry.asset on asset.id = occurrence.asset_id
    join registry.facility on facility.id = asset.facility_id
    cross join lateral (
        select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
    ) as local
    left join registry.device_model as model on model.id = asset.device_model_id
    left join registry.device_type as kind on kind.id = model.device_type_id
    left join finance.disposal on disposal.asset_id = asset.id and disposal.deleted_at is null
    where schedule.kind = 'PM'
        and occurrence.due_on between %(from)s::date and %(to)s::date
        and occurrence.due_on <= local.day
        and occurrence.outcome <> 'CANCELLED'
        and occurrence.deleted_at is null
        and asset.deleted_at is null
        and (asset.retired_on is null or asset.retired_on >= occurrence.due_on)
        and (disposal.disposed_on is null or disposal.disposed_on >= occurrence.due_on)
        and reporting.is_high_risk(
            asset.category, asset.criticality, model.risk_class, kind.is_life_support
        )
),
counted as (
    select
        asset_id,
        count(*) as scheduled,
        count(*) filter (where on_time) as on_time,
        count(*) filter (where done and not on_time) as late,
        count(*) filter (where not done and outcome = 'NOT_LOCATED') as not_located,
        count(*) filter (where not done and outcome = 'IN_USE') as in_use,
        count(*) filter (where not done and outcome in ('OPEN', 'COMPLETED') and in_grace)
            as pending
    from due
    group by asset_id
)
select
    register.asset_tag,
    register.name,
    register.category,
    register.facility,
    register.department,
    counted.scheduled,
    counted.on_time,
    counted.late,
    counted.not_located,
    counted.in_use,
    counted.scheduled - counted.on_time - counted.late - counted.not_located - counted.in_use
        - counted.pending as other_missed,
    counted.pending,
    round(100.0 * counted.on_time / counted.scheduled, 2) as completion_pct
from counted
join reporting.v_asset_register as register on register.asset_id = counted.asset_id
where counted.on_time < counted.scheduled
order by completion_pct, register.asset_tag
