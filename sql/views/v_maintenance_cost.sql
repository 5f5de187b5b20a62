-- What did the upkeep of each asset cost in a year? One row an asset, calendar year and currency.
--
-- Currencies are never added up: labour in euros and parts in dollars are two rows. The year is
-- that of the completion (of the report while it is open), by the owning facility's clock. A
-- contract is spread over the days it runs, up to today.
create function reporting.f_v_maintenance_cost(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, year integer, labor numeric,
    parts numeric, vendor numeric, contract_share numeric, total numeric, currency text,
    wo_count bigint
)
language sql stable parallel safe
begin atomic
    with own as (
        select
            asset.organization_id, asset.facility_id, asset.id, facility.time_zone,
            (as_of at time zone facility.time_zone)::date as day,
            least(asset.retired_on, disposal.disposed_on) as left_on
        from registry.asset
        join registry.facility on facility.id = asset.facility_id
        left join finance.disposal
            on disposal.organization_id = asset.organization_id
            and disposal.asset_id = asset.id and disposal.deleted_at is null
        where asset.deleted_at is null
    ),
    work as (
        select
            own.organization_id, own.facility_id, own.id as asset_id, work_order.id,
            extract(
                year from coalesce(work_order.completed_at, work_order.reported_at)
                    at time zone own.time_zone
            )::integer as year,
            work_order.labor_cost, work_order.vendor_cost, work_order.currency_code
        from maintenance.work_order
        join own on own.id = work_order.asset_id
        where work_order.deleted_at is null
            and work_order.status <> 'CANCELLED'
            and coalesce(work_order.completed_at, work_order.reported_at) <= as_of
    ),
    spent as (
        select
            organization_id, facility_id, asset_id, year, currency_code::text as currency,
            labor_cost as labor, 0 as parts, vendor_cost as vendor, 0 as contract_share,
            1 as work_orders
        from work
        where currency_code is not null
        union all
        select
            work.organization_id, work.facility_id, work.asset_id, work.year,
            used.currency_code::text, 0, used.quantity * used.unit_cost, 0, 0,
            -- A work order is counted where its labour is, and else where its parts are.
            case when work.currency_code is null and used.place = 1 then 1 else 0 end
        from work
        join (
            select
                work_order_part.*,
                row_number() over (partition by work_order_id order by id) as place
            from maintenance.work_order_part
            where deleted_at is null
        ) as used on used.work_order_id = work.id
        union all
        select
            own.organization_id, own.facility_id, own.id,
            extract(year from event.occurred_on)::integer, event.currency_code::text,
            case when event.kind = 'LABOR' then event.amount else 0 end,
            case when event.kind = 'PARTS' then event.amount else 0 end,
            case when event.kind in ('VENDOR', 'CALIBRATION') then event.amount else 0 end,
            case when event.kind = 'CONTRACT' then event.amount else 0 end,
            0
        from finance.cost_event as event
        join own on own.id = event.asset_id
        where event.deleted_at is null
            and event.kind in ('LABOR', 'PARTS', 'VENDOR', 'CALIBRATION', 'CONTRACT')
            and event.occurred_on <= own.day
        union all
        select
            own.organization_id, own.facility_id, own.id, years.year, contract.currency_code::text,
            0, 0, 0,
            round(reporting.contract_share(
                coalesce(covered.annual_cost, contract.annual_cost / shared.assets),
                coalesce(covered.starts_on, contract.starts_on),
                least(coalesce(covered.ends_on, contract.ends_on), own.left_on, own.day),
                make_date(years.year, 1, 1), make_date(years.year, 12, 31)
            ), 2),
            0
        from registry.contract_asset as covered
        join registry.contract on contract.id = covered.contract_id
        join own on own.id = covered.asset_id
        join (
            select contract_id, count(*) as assets
            from registry.contract_asset
            where deleted_at is null
            group by contract_id
        ) as shared on shared.contract_id = covered.contract_id
        cross join lateral generate_series(
            extract(year from coalesce(covered.starts_on, contract.starts_on))::integer,
            extract(year from least(
                coalesce(covered.ends_on, contract.ends_on), own.left_on, own.day
            ))::integer
        ) as years (year)
        where covered.deleted_at is null
            and contract.deleted_at is null
            and contract.kind in ('AMC', 'CMC', 'WARRANTY')
            and coalesce(covered.annual_cost, contract.annual_cost) > 0
            and coalesce(covered.starts_on, contract.starts_on) <= own.day
    )
    select
        organization_id, facility_id, asset_id, year, sum(labor), sum(parts), sum(vendor),
        sum(contract_share), sum(labor + parts + vendor + contract_share), currency,
        sum(work_orders)
    from spent
    group by organization_id, facility_id, asset_id, year, currency;
end;
comment on function reporting.f_v_maintenance_cost(timestamptz) is
    'v_maintenance_cost as of a time.';
grant execute on function reporting.f_v_maintenance_cost(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_maintenance_cost with (security_invoker = true) as
select * from reporting.f_v_maintenance_cost(now());

comment on view reporting.v_maintenance_cost is
    'One row an asset, calendar year and currency; currencies are never added up.';
comment on column reporting.v_maintenance_cost.labor is 'Of work orders, and booked as labour.';
comment on column reporting.v_maintenance_cost.parts is 'At their cost when they were used.';
comment on column reporting.v_maintenance_cost.vendor is
    'Work of vendors, and calibration that was bought.';
comment on column reporting.v_maintenance_cost.contract_share is
    'Of warranties and service contracts, by the days they ran; equal shares unless said.';
comment on column reporting.v_maintenance_cost.wo_count is
    'Work orders that cost something: in the currency of their labour.';
grant select on reporting.v_maintenance_cost to biotrakr_analyst, biotrakr_app;
