-- Which work is open, how old is it, and is a promise broken? One row a work order.
create function reporting.f_v_work_orders_open(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, wo_id uuid, number text, asset text, type text,
    status text, priority text, opened_at timestamptz, age_h numeric, sla_due_at timestamptz,
    sla_breached boolean, technician text, vendor text, est_cost numeric, currency text,
    asset_id uuid
)
language sql stable parallel safe
begin atomic
    select
        work.organization_id,
        asset.facility_id,
        work.id,
        work.number,
        asset.tag_number,
        work.type::text,
        work.status::text,
        work.priority::text,
        work.reported_at,
        round(extract(epoch from as_of - work.reported_at) / 3600, 1),
        promise.due_at,
        case
            when work.response_due_at is null and work.resolution_due_at is null then null
            else coalesce(
                    coalesce(least(work.responded_at, as_of), as_of) > work.response_due_at, false
                )
                or coalesce(
                    coalesce(least(work.restored_at, as_of), as_of) > work.resolution_due_at, false
                )
        end,
        technician.display_name,
        vendor.name,
        work.estimated_cost,
        work.currency_code::text,
        work.asset_id
    from maintenance.work_order as work
    join registry.asset on asset.id = work.asset_id
    cross join lateral (
        select case
            when work.responded_at <= as_of then work.resolution_due_at
            else least(work.response_due_at, work.resolution_due_at)
        end as due_at
    ) as promise
    left join registry.user_account as technician on technician.id = work.technician_id
    left join registry.vendor on vendor.id = work.vendor_id
    where work.deleted_at is null
        and asset.deleted_at is null
        and work.status <> 'CANCELLED'
        and work.reported_at <= as_of
        and (work.completed_at is null or work.completed_at > as_of);
end;
comment on function reporting.f_v_work_orders_open(timestamptz) is
    'v_work_orders_open as of a time; status and names are those of today.';
grant execute on function reporting.f_v_work_orders_open(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_work_orders_open with (security_invoker = true) as
select * from reporting.f_v_work_orders_open(now());

comment on view reporting.v_work_orders_open is
    'One row a work order that is neither completed nor cancelled.';
comment on column reporting.v_work_orders_open.asset is 'Its inventory number.';
comment on column reporting.v_work_orders_open.sla_due_at is
    'The next promise: the response until somebody came, then the resolution.';
comment on column reporting.v_work_orders_open.sla_breached is
    'Response or resolution was or is late; NULL: nothing was promised.';
comment on column reporting.v_work_orders_open.est_cost is 'In currency.';
grant select on reporting.v_work_orders_open to biotrakr_analyst, biotrakr_app;
