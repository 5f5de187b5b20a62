-- How long does a model run between failures, and how long is it away? One row a model and kind of
-- clock: metered operating hours where devices report them, else hours in service.
--
-- A failure is a confirmed one of a corrective work order: not what could not be duplicated, not a
-- user's error. Every asset counts with all its hours, also those since its last failure and those
-- without any (censoring). Hours down are no operating hours. Without a failure there is no mean,
-- but a lower bound.
create function reporting.f_v_reliability_by_model(as_of timestamptz)
returns table (
    organization_id uuid, manufacturer text, model text, assets bigint, exposure_h numeric,
    time_basis text, failures bigint, mtbf_h numeric, mtbf_lower95_h numeric,
    mttr_restore_h numeric, mttr_repair_h numeric, availability numeric,
    availability_inherent numeric, device_model_id uuid
)
language sql stable parallel safe
begin atomic
    with service as (
        select
            asset.organization_id, asset.id, asset.device_model_id,
            coalesce(maker.name, asset.manufacturer) as manufacturer,
            coalesce(model.model_number, asset.model) as model,
            tstzrange(
                started.day::timestamp at time zone facility.time_zone,
                -- The day on which it left still counts.
                least(as_of, (ended.day + 1)::timestamp at time zone facility.time_zone)
            ) as during,
            metric.total_usage_hours as metered_h
        from registry.asset
        join registry.facility on facility.id = asset.facility_id
        left join registry.device_model as model on model.id = asset.device_model_id
        left join registry.manufacturer as maker on maker.id = model.manufacturer_id
        left join finance.disposal
            on disposal.organization_id = asset.organization_id
            and disposal.asset_id = asset.id and disposal.deleted_at is null
        left join registry.asset_metric as metric
            on metric.organization_id = asset.organization_id
            and metric.asset_id = asset.id and metric.deleted_at is null
            and metric.total_usage_hours > 0 and metric.computed_at <= as_of
        cross join lateral (
            select coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on) as day
        ) as started
        cross join lateral (
            select least(asset.retired_on, disposal.disposed_on) as day
        ) as ended
        where asset.deleted_at is null
            and started.day::timestamp at time zone facility.time_zone < as_of
            and (ended.day is null or ended.day >= started.day)
    ),
    failure as (
        select
            service.id as asset_id,
            failed.failed_at,
            least(upper(service.during), failed.restored_at) as restored_at,
            case when failed.restored_at <= as_of then failed.restore_h end as restore_h,
            case when failed.restored_at <= as_of then failed.repair_h end as repair_h
        from reporting.failures as failed
        join service on service.id = failed.asset_id
        where service.during @> failed.failed_at
    ),
    history as (
        select
            asset_id,
            count(*) as failures,
            count(restore_h) as restored,
            sum(restore_h) as restore_h,
            count(repair_h) as repaired,
            sum(repair_h) as repair_h,
            range_agg(tstzrange(failed_at, restored_at)) as down
        from failure
        group by asset_id
    ),
    lived as (
        select
            service.organization_id, service.manufacturer, service.model, service.device_model_id,
            service.metered_h is not null as metered,
            extract(epoch from upper(service.during) - lower(service.during)) / 3600 as required_h,
            coalesce((
                -- What was still down when it left, or is now, ends there.
                select sum(extract(epoch from
                    coalesce(upper(span), upper(service.during)) - lower(span))) / 3600
                from unnest(history.down) as span
            ), 0) as down_h,
            service.metered_h,
            history.failures, history.restored, history.restore_h, history.repaired,
            history.repair_h
        from service
        left join history on history.asset_id = service.id
    ),
    summed as (
        select
            organization_id, manufacturer, model, device_model_id, metered,
            count(*) as assets,
            sum(coalesce(metered_h, required_h - down_h)) as exposure_h,
            coalesce(sum(failures), 0)::bigint as failures,
            sum(restore_h) / nullif(sum(restored), 0) as mttr_restore_h,
            sum(repair_h) / nullif(sum(repaired), 0) as mttr_repair_h,
            sum(required_h - down_h) / nullif(sum(required_h), 0) as availability
        from lived
        group by organization_id, manufacturer, model, device_model_id, metered
    )
    select
        organization_id, manufacturer, model, assets,
        round(exposure_h, 1),
        case when metered then 'METERED' else 'IN_SERVICE' end,
        failures,
        round(reporting.mtbf(exposure_h::double precision, failures)::numeric, 2),
        round(
            reporting.mtbf_lower_bound(exposure_h::double precision, failures)::numeric, 2
        ),
        round(mttr_restore_h, 2),
        round(mttr_repair_h, 2),
        round(availability, 6),
        round(reporting.inherent_availability(
            reporting.mtbf(exposure_h::double precision, failures),
            mttr_restore_h::double precision
        )::numeric, 6),
        device_model_id
    from summed;
end;
comment on function reporting.f_v_reliability_by_model(timestamptz) is
    'v_reliability_by_model as of a time.';
grant execute on function reporting.f_v_reliability_by_model(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_reliability_by_model with (security_invoker = true) as
select * from reporting.f_v_reliability_by_model(now());

comment on view reporting.v_reliability_by_model is
    'One row a model and kind of clock (time_basis).';
comment on column reporting.v_reliability_by_model.exposure_h is
    'Hours of all its assets, without those they were down.';
comment on column reporting.v_reliability_by_model.time_basis is
    'METERED: operating hours as reported; IN_SERVICE: hours since it went into service.';
comment on column reporting.v_reliability_by_model.mtbf_h is
    'exposure_h / failures; NULL without a failure: see mtbf_lower95_h.';
comment on column reporting.v_reliability_by_model.mtbf_lower95_h is
    'With 95 % confidence the mean is at least this.';
comment on column reporting.v_reliability_by_model.mttr_restore_h is
    'Mean hours from the failure to the restoration, of what was restored.';
comment on column reporting.v_reliability_by_model.mttr_repair_h is
    'Mean hands-on hours: booked labour, else from the start of work to the restoration.';
comment on column reporting.v_reliability_by_model.availability is
    'Hours up / hours in service, 0 to 1.';
comment on column reporting.v_reliability_by_model.availability_inherent is
    'MTBF / (MTBF + mttr_restore_h); NULL without a failure.';
grant select on reporting.v_reliability_by_model to biotrakr_analyst, biotrakr_app;
