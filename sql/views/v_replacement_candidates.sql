-- Which assets speak for their own replacement, and why? One row an owned asset with a reason.
--
-- Limits are the organization's (registry.threshold: replace_cm_ratio, replace_failures_12m,
-- replace_p_failure), by facility and type; without a row 0.5, 3 and 0.5. The score adds what each
-- reason weighs, 100 at most: it ranks, it is no probability.
create function reporting.f_v_replacement_candidates(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, asset_id uuid, age_y numeric, life_y integer,
    cm_cost_12m numeric, cm_ratio numeric, failures_12m bigint, p_failure_90d numeric,
    end_of_support date, score integer, reasons text[], replacement_cost numeric, currency text
)
language sql stable parallel safe
begin atomic
    with fleet as (
        select
            asset.organization_id, asset.facility_id, asset.id, model.device_type_id,
            local.day,
            round(
                (local.day
                    - coalesce(asset.in_service_on, asset.installed_on, asset.purchased_on))
                / 365.25, 2
            ) as age_y,
            coalesce(written_off.life_years, kind.default_useful_life_years) as life_y,
            asset.currency_code::text as currency,
            coalesce(asset.replacement_cost, asset.purchase_cost) as replacement_cost,
            model.end_of_support_on as end_of_support
        from registry.asset
        join registry.facility on facility.id = asset.facility_id
        cross join lateral (
            select (as_of at time zone facility.time_zone)::date as day
        ) as local
        left join registry.device_model as model on model.id = asset.device_model_id
        left join registry.device_type as kind on kind.id = model.device_type_id
        left join finance.book
            on book.organization_id = asset.organization_id
            and book.is_primary and book.deleted_at is null
        left join finance.depreciation as written_off
            on written_off.organization_id = asset.organization_id
            and written_off.asset_id = asset.id and written_off.book_id = book.id
            and written_off.deleted_at is null
        where asset.deleted_at is null
            and asset.ownership = 'OWNED'
            and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    ),
    limits as materialized (
        select
            place.facility_id, place.device_type_id,
            app.threshold('replace_cm_ratio', place.facility_id, place.device_type_id, 0.5)
                as cm_ratio,
            app.threshold('replace_failures_12m', place.facility_id, place.device_type_id, 3)
                as failures,
            app.threshold('replace_p_failure', place.facility_id, place.device_type_id, 0.5)
                as p_failure
        from (select distinct facility_id, device_type_id from fleet) as place
    ),
    repair as (
        select
            work.id, work.asset_id, work.currency_code::text as currency,
            work.labor_cost + work.vendor_cost as cost
        from maintenance.work_order as work
        where work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
            and work.status <> 'CANCELLED'
            and work.deleted_at is null
            and work.reported_at > as_of - interval '1 year'
            and work.reported_at <= as_of
    ),
    repair_cost as (
        select asset_id, currency, sum(cost) as cost
        from (
            select asset_id, currency, cost from repair
            union all
            select repair.asset_id, used.currency_code::text, used.quantity * used.unit_cost
            from repair
            join maintenance.work_order_part as used
                on used.work_order_id = repair.id and used.deleted_at is null
        ) as each
        group by asset_id, currency
    ),
    failed as (
        select asset_id, count(*) as failures
        from reporting.failures
        where failed_at > as_of - interval '1 year' and failed_at <= as_of
        group by asset_id
    ),
    risk as (
        select risk_current.asset_id, max(risk_current.p_failure) as p_failure
        from prediction.risk_current
        join prediction.model on model.id = risk_current.model_id
        where risk_current.horizon_h = 90 * 24
            and model.status = 'active'
            and risk_current.scored_at <= f_v_replacement_candidates.as_of
            and risk_current.deleted_at is null
        group by risk_current.asset_id
    ),
    judged as (
        select
            fleet.*,
            coalesce(repair_cost.cost, 0) as cm_cost_12m,
            coalesce(repair_cost.cost, 0) / nullif(fleet.replacement_cost, 0) as cm_ratio,
            coalesce(failed.failures, 0) as failures_12m,
            risk.p_failure,
            coalesce(fleet.age_y > fleet.life_y, false) as is_old,
            coalesce(
                repair_cost.cost / nullif(fleet.replacement_cost, 0) > limits.cm_ratio, false
            ) as is_costly,
            coalesce(failed.failures >= limits.failures, false) as is_unreliable,
            coalesce(risk.p_failure >= limits.p_failure, false) as is_at_risk,
            coalesce(fleet.end_of_support <= fleet.day, false) as is_unsupported
        from fleet
        join limits
            on limits.facility_id = fleet.facility_id
            and limits.device_type_id is not distinct from fleet.device_type_id
        left join repair_cost
            on repair_cost.asset_id = fleet.id and repair_cost.currency = fleet.currency
        left join failed on failed.asset_id = fleet.id
        left join risk on risk.asset_id = fleet.id
    )
    select
        organization_id, facility_id, id, age_y, life_y, cm_cost_12m, round(cm_ratio, 4),
        failures_12m, round(p_failure::numeric, 4), end_of_support,
        30 * is_old::integer + 25 * is_costly::integer + 20 * is_unsupported::integer
            + 15 * is_unreliable::integer + 10 * is_at_risk::integer,
        array_remove(array[
            case when is_old then 'PAST_LIFE' end,
            case when is_costly then 'REPAIR_COST' end,
            case when is_unsupported then 'END_OF_SUPPORT' end,
            case when is_unreliable then 'FAILURES' end,
            case when is_at_risk then 'PREDICTED_FAILURE' end
        ], null),
        replacement_cost, currency
    from judged
    where is_old or is_costly or is_unsupported or is_unreliable or is_at_risk;
end;
comment on function reporting.f_v_replacement_candidates(timestamptz) is
    'v_replacement_candidates as of a time.';
grant execute on function reporting.f_v_replacement_candidates(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_replacement_candidates with (security_invoker = true) as
select * from reporting.f_v_replacement_candidates(now());

comment on view reporting.v_replacement_candidates is
    'One row an owned asset in use that has at least one reason to be replaced.';
comment on column reporting.v_replacement_candidates.life_y is
    'Of the primary book, else the type''s default.';
comment on column reporting.v_replacement_candidates.cm_cost_12m is
    'Corrective work reported in the last year, as far as it is in currency.';
comment on column reporting.v_replacement_candidates.cm_ratio is
    'cm_cost_12m / replacement_cost (the purchase cost, while no replacement cost is recorded).';
comment on column reporting.v_replacement_candidates.p_failure_90d is
    'By the active model; NULL: not scored.';
comment on column reporting.v_replacement_candidates.score is
    'PAST_LIFE 30, REPAIR_COST 25, END_OF_SUPPORT 20, FAILURES 15, PREDICTED_FAILURE 10.';
grant select on reporting.v_replacement_candidates to biotrakr_analyst, biotrakr_app;
