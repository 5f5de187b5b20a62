-- name: M16 could_not_duplicate
-- title: Which models and departments report faults that nobody can find, or that are no faults?
-- audience: B, N
-- param: from date = today - 365 days
-- param: to date = today
-- columns: manufacturer, model, department, reported, not_duplicated, user_error, cnd_pct,
--          user_error_pct, hours_lost
-- notes: One row a model and reporting department (the owning one where none is named) with a
--        corrective work order completed from .. to (UTC). A high share points at training or at
--        a fault that comes and goes. hours_lost is labour on either.
select
    asset.manufacturer,
    asset.model,
    coalesce(reporter.name, asset.department) as department,
    count(*) as reported,
    count(*) filter (where work.outcome = 'NO_FAULT_FOUND') as not_duplicated,
    count(*) filter (where caused.by_user) as user_error,
    round(100.0 * count(*) filter (where work.outcome = 'NO_FAULT_FOUND') / count(*), 1)
        as cnd_pct,
    round(100.0 * count(*) filter (where caused.by_user) / count(*), 1) as user_error_pct,
    coalesce(sum(work.labor_hours) filter (
        where work.outcome = 'NO_FAULT_FOUND' or caused.by_user
    ), 0) as hours_lost
from maintenance.work_order as work
join reporting.v_asset_register as asset on asset.asset_id = work.asset_id
left join registry.department as reporter on reporter.id = work.department_id
cross join lateral (
    select coalesce(work.outcome = 'USER_ERROR', false)
        or coalesce(work.failure_category = 'USER_ERROR', false) as by_user
) as caused
where work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
    and work.status = 'COMPLETED'
    and work.deleted_at is null
    and work.completed_at >= %(from)s::date::timestamp at time zone 'UTC'
    and work.completed_at < (%(to)s::date + 1)::timestamp at time zone 'UTC'
group by asset.manufacturer, asset.model, coalesce(reporter.name, asset.department)
order by
    count(*) filter (where work.outcome = 'NO_FAULT_FOUND' or caused.by_user) desc, asset.manufacturer, asset.model, department
