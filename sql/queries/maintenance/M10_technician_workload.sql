-- name: M10 technician_workload
-- title: How many hours are planned for each technician and week, against their capacity?
-- audience: B
-- param: weeks int = 8
-- param: as_of timestamptz = now
-- columns: week, technician, pm_tasks, pm_hours, work_orders, wo_hours, planned_hours,
--          capacity_hours, load_pct, unestimated
-- notes: One row a technician and week (its Monday) with work: maintenance that comes due then, and
--        open work orders scheduled for then; what is late, or has no day, counts in this week.
--        unestimated counts tasks without estimated hours, which add nothing. technician NULL:
--        nobody is assigned. A work order for a due maintenance is not counted twice.
with this_week as (
    select date_trunc('week', %(as_of)s::timestamptz at time zone 'UTC')::date as monday
),
task as (
    select
        schedule.technician_id, 'PM' as kind, procedure.estimated_hours as hours,
        date_trunc('week', greatest(plan.due_on, this_week.monday)::timestamp)::date as week
    from reporting.f_v_pm_schedule(%(as_of)s::timestamptz) as plan
    cross join this_week
    join maintenance.schedule on schedule.id = plan.schedule_id
    join maintenance.procedure on procedure.id = schedule.procedure_id
    where not exists (
        select from maintenance.work_order as work
        where work.schedule_id = plan.schedule_id
            and work.status not in ('COMPLETED', 'CANCELLED')
            and work.deleted_at is null
    )
    union all
    select
        work.technician_id, 'WO', work.estimated_hours,
        date_trunc(
            'week', greatest(work.scheduled_for, this_week.monday)::timestamp
        )::date
    from reporting.f_v_work_orders_open(%(as_of)s::timestamptz) as open
    join maintenance.work_order as work on work.id = open.wo_id
    cross join this_week
)
select
    task.week,
    technician.display_name as technician,
    count(*) filter (where task.kind = 'PM') as pm_tasks,
    coalesce(sum(task.hours) filter (where task.kind = 'PM'), 0) as pm_hours,
    count(*) filter (where task.kind = 'WO') as work_orders,
    coalesce(sum(task.hours) filter (where task.kind = 'WO'), 0) as wo_hours,
    coalesce(sum(task.hours), 0) as planned_hours,
    technician.weekly_capacity_h as capacity_hours,
    round(100 * coalesce(sum(task.hours), 0) / nullif(technician.weekly_capacity_h, 0), 1)
        as load_pct,
    count(*) filter (where task.hours is null) as unestimated
from task
cross join this_week
left join registry.user_account as technician on technician.id = task.technician_id
where task.week < this_week.monday + 7 * %(weeks)s::int
group by task.week, task.technician_id, technician.display_name, technician.weekly_capacity_h
order by task.week, technician nulls last
