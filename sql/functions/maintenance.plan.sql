-- What comes due for the present organization: writes down the next occurrence of every schedule that
-- is due within its warning time, and opens a work order for it where the asset wants that. Repeatable;
-- returns how many of each were new. With the caller's rights and row security.
create or replace function maintenance.plan(
    as_of timestamptz default now(), out occurrences integer, out work_orders integer
)
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into maintenance.occurrence
        (organization_id, asset_id, schedule_id, due_on, grace_until)
    select due.organization_id, due.asset_id, due.schedule_id, due.due_on, due.grace_until
    from reporting.f_v_pm_schedule(as_of) as due
    where due.pm_status <> 'COMPLIANT'
        and not exists (
            select from maintenance.occurrence as open
            where open.organization_id = due.organization_id
                and open.schedule_id = due.schedule_id
                and (open.due_on = due.due_on or open.outcome = 'OPEN')
                and open.deleted_at is null
        );
    get diagnostics occurrences = row_count;

    with wanted as (
        select occurrence.*, procedure.name as procedure, procedure.estimated_hours,
            schedule.technician_id, asset.criticality, asset.department_id, gen_random_uuid() as new_id
        from maintenance.occurrence
        join maintenance.schedule on schedule.id = occurrence.schedule_id
        join maintenance.procedure on procedure.id = schedule.procedure_id
        join registry.asset on asset.id = occurrence.asset_id
        where occurrence.outcome = 'OPEN'
            and occurrence.work_order_id is null
            and occurrence.deleted_at is null
            and schedule.deleted_at is null
            and asset.deleted_at is null
            and asset.auto_work_orders
            and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        for update of occurrence
    ),
    opened as (
        insert into maintenance.work_order (
            id, organization_id, number, asset_id, type, priority, title, schedule_id,
            technician_id, department_id, reported_at, scheduled_for, estimated_hours
        )
        select
            new_id, organization_id,
            format('PM-%s-%s', to_char(due_on, 'YYYYMMDD'), left(id::text, 8)),
            asset_id, 'PREVENTIVE_MAINTENANCE', coalesce(criticality, 'MEDIUM'), procedure,
            schedule_id, technician_id, department_id, as_of, due_on, estimated_hours
        from wanted
        returning id
    )
    update maintenance.occurrence as planned
    set work_order_id = wanted.new_id
    from wanted
    join opened on opened.id = wanted.new_id
    where planned.id = wanted.id;
    get diagnostics work_orders = row_count;
end
$$;
comment on function maintenance.plan(timestamptz) is
    'Occurrences and work orders of what has come due for the present organization.';
grant execute on function maintenance.plan(timestamptz) to biotrakr_app;
