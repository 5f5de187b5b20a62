-- What has every asset cost so far, all told? One row an asset and currency.
--
-- Currencies are never added up. What is not recorded is not guessed: hours of downtime without a
-- price an hour leave downtime_cost, and with it tco, NULL.
create function reporting.f_v_tco(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, acquisition numeric,
    installation numeric, contracts numeric, labor numeric, parts numeric, calibration numeric,
    training numeric, disposal numeric, downtime_cost numeric, tco_ex_downtime numeric,
    tco numeric, years numeric, tco_per_year numeric, currency text, consumables numeric,
    downtime_h numeric
)
language sql stable parallel safe
begin atomic
    with own as (
        select
            asset.organization_id, asset.facility_id, asset.id, asset.purchased_on,
            asset.purchase_cost, asset.currency_code::text as currency,
            asset.downtime_cost_per_hour,
            local.day,
            gone.left_on,
            coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on) as started_on
        from registry.asset
        join registry.facility on facility.id = asset.facility_id
        cross join lateral (
            select (as_of at time zone facility.time_zone)::date as day
        ) as local
        left join finance.disposal
            on disposal.organization_id = asset.organization_id
            and disposal.asset_id = asset.id and disposal.deleted_at is null
        cross join lateral (
            select least(asset.retired_on, disposal.disposed_on) as left_on
        ) as gone
        where asset.deleted_at is null
    ),
    work as (
        select work_order.*
        from maintenance.work_order
        where work_order.deleted_at is null
            and work_order.status <> 'CANCELLED'
            and coalesce(work_order.completed_at, work_order.reported_at) <= as_of
    ),
    spent as (
        select own.id as asset_id, own.currency, 'ACQUISITION' as kind, own.purchase_cost as amount
        from own
        where own.purchase_cost is not null
            and (own.purchased_on is null or own.purchased_on <= own.day)
        union all
        select work.asset_id, work.currency_code::text, 'LABOR', work.labor_cost + work.vendor_cost
        from work
        where work.currency_code is not null
        union all
        select work.asset_id, used.currency_code::text, 'PARTS', used.quantity * used.unit_cost
        from work
        join maintenance.work_order_part as used
            on used.work_order_id = work.id and used.deleted_at is null
        union all
        select event.asset_id, event.currency_code::text, event.kind, event.amount
        from finance.cost_event as event
        join own on own.id = event.asset_id
        where event.deleted_at is null and event.occurred_on <= own.day
        union all
        select disposal.asset_id, disposal.currency_code::text, 'RESALE', disposal.proceeds
        from finance.disposal
        join own on own.id = disposal.asset_id
        where disposal.deleted_at is null and disposal.disposed_on <= own.day
        union all
        select
            covered.asset_id, contract.currency_code::text, 'CONTRACT',
            round(reporting.contract_share(
                coalesce(covered.annual_cost, contract.annual_cost / shared.assets),
                coalesce(covered.starts_on, contract.starts_on),
                least(coalesce(covered.ends_on, contract.ends_on), own.left_on, own.day),
                coalesce(covered.starts_on, contract.starts_on), own.day
            ), 2)
        from registry.contract_asset as covered
        join registry.contract on contract.id = covered.contract_id
        join own on own.id = covered.asset_id
        join (
            select contract_id, count(*) as assets
            from registry.contract_asset
            where deleted_at is null
            group by contract_id
        ) as shared on shared.contract_id = covered.contract_id
        where covered.deleted_at is null and contract.deleted_at is null
    ),
    down as (
        select
            work.asset_id,
            sum(coalesce(
                work.downtime_hours,
                extract(epoch from least(work.restored_at, as_of) - work.failed_at) / 3600
            )) as hours
        from work
        where work.downtime_hours is not null or work.failed_at <= as_of
        group by work.asset_id
    ),
    summed as (
        select
            asset_id, currency,
            coalesce(sum(amount) filter (where kind in ('ACQUISITION', 'UPGRADE')), 0)
                as acquisition,
            coalesce(sum(amount) filter (where kind = 'INSTALLATION'), 0) as installation,
            coalesce(sum(amount) filter (where kind = 'CONTRACT'), 0) as contracts,
            coalesce(sum(amount) filter (where kind in ('LABOR', 'VENDOR')), 0) as labor,
            coalesce(sum(amount) filter (where kind = 'PARTS'), 0) as parts,
            coalesce(sum(amount) filter (where kind = 'CALIBRATION'), 0) as calibration,
            coalesce(sum(amount) filter (where kind = 'TRAINING'), 0) as training,
            coalesce(sum(amount) filter (where kind = 'DISPOSAL'), 0)
                - coalesce(sum(amount) filter (where kind = 'RESALE'), 0) as disposal,
            coalesce(sum(amount) filter (where kind in ('CONSUMABLES', 'ENERGY', 'OTHER')), 0)
                as consumables,
            coalesce(sum(amount) filter (where kind = 'DOWNTIME'), 0) as downtime_booked
        from spent
        group by asset_id, currency
    ),
    priced as (
        select
            own.organization_id, own.facility_id, summed.*,
            -- Hours cost what the asset says, in its own currency.
            case
                when own.currency is distinct from summed.currency then downtime_booked
                when coalesce(down.hours, 0) = 0 then downtime_booked
                else downtime_booked + round(down.hours * own.downtime_cost_per_hour, 2)
            end as downtime_cost,
            acquisition + installation + contracts + labor + parts + calibration + training
                + disposal + consumables as tco_ex_downtime,
            (least(own.left_on, own.day) - own.started_on) / 365.25 as years,
            down.hours as downtime_h
        from summed
        join own on own.id = summed.asset_id
        left join down on down.asset_id = summed.asset_id
    )
    select
        organization_id, facility_id, asset_id, acquisition, installation, contracts, labor, parts,
        calibration, training, disposal, downtime_cost, tco_ex_downtime,
        tco_ex_downtime + downtime_cost,
        round(years, 4),
        round((tco_ex_downtime + downtime_cost) / case when years > 0 then years end, 2),
        currency, consumables, round(downtime_h, 2)
    from priced;
end;
comment on function reporting.f_v_tco(timestamptz) is 'v_tco as of a time.';
grant execute on function reporting.f_v_tco(timestamptz) to biotrakr_analyst, biotrakr_app;

create view reporting.v_tco with (security_invoker = true) as
select * from reporting.f_v_tco(now());

comment on view reporting.v_tco is
    'One row an asset and currency; currencies are never added up.';
comment on column reporting.v_tco.acquisition is 'Purchase and upgrades.';
comment on column reporting.v_tco.contracts is 'By the days they ran; equal shares unless said.';
comment on column reporting.v_tco.labor is 'Own hours and vendors'' work of work orders.';
comment on column reporting.v_tco.disposal is 'Cost of disposal less resale; may be negative.';
comment on column reporting.v_tco.downtime_cost is
    'Hours down times the asset''s price an hour, and what was booked; NULL: no price is recorded.';
comment on column reporting.v_tco.tco is 'With downtime; NULL when its cost is not known.';
comment on column reporting.v_tco.years is
    'In service (else since the installation or purchase), of 365.25 days.';
comment on column reporting.v_tco.tco_per_year is 'tco / years.';
comment on column reporting.v_tco.consumables is 'Consumables, energy and other costs.';
grant select on reporting.v_tco to biotrakr_analyst, biotrakr_app;
