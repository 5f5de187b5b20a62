-- name: P06 prediction_outcomes
-- title: How often was a prediction right, and how far ahead?
-- audience: B
-- param: from timestamptz = now - 1 year
-- param: to timestamptz = now
-- param: threshold numeric = 0.5
-- columns: month, model, version, horizon_h, settled, hits, misses, false_alarms, quiet_rightly,
--          censored, alarms_serviced, precision_pct, precision_with_serviced_pct, recall_pct,
--          median_lead_h
-- notes: One row a model and UTC month of the prediction; an alarm is a probability of at least the
--        threshold. Censored predictions (retired, replaced, serviced) are left out of the rates;
--        because service after an alarm hides what would have happened, precision is also given with
--        serviced alarms as hits: the truth lies between. Without alarms or failures a rate is NULL.
with judged as (
    select
        outcome.*,
        outcome.p_failure >= %(threshold)s::numeric::double precision as alarm
    from prediction.outcome
    join registry.asset on asset.id = outcome.asset_id and asset.deleted_at is null
    where outcome.as_of >= %(from)s::timestamptz
        and outcome.as_of < %(to)s::timestamptz
        and outcome.deleted_at is null
),
counted as (
    select
        date_trunc('month', judged.as_of, 'UTC') as month,
        judged.model_id,
        judged.horizon_h,
        count(*) filter (where judged.outcome <> 'CENSORED') as settled,
        count(*) filter (where judged.alarm and judged.outcome = 'FAILED') as hits,
        count(*) filter (where not judged.alarm and judged.outcome = 'FAILED') as misses,
        count(*) filter (where judged.alarm and judged.outcome = 'NOT_FAILED') as false_alarms,
        count(*) filter (where not judged.alarm and judged.outcome = 'NOT_FAILED') as quiet,
        count(*) filter (where judged.outcome = 'CENSORED') as censored,
        count(*) filter (where judged.alarm and judged.censored_by = 'SERVICED') as serviced,
        percentile_cont(0.5) within group (
            order by extract(epoch from judged.failed_at - judged.as_of)::double precision / 3600
        ) filter (where judged.alarm and judged.outcome = 'FAILED') as lead_h
    from judged
    group by date_trunc('month', judged.as_of, 'UTC'), judged.model_id, judged.horizon_h
)
select
    (counted.month at time zone 'UTC')::date as month,
    model.name as model,
    model.model_version as version,
    counted.horizon_h,
    counted.settled,
    counted.hits,
    counted.misses,
    counted.false_alarms,
    counted.quiet as quiet_rightly,
    counted.censored,
    counted.serviced as alarms_serviced,
    round(100.0 * counted.hits / nullif(counted.hits + counted.false_alarms, 0), 1)
        as precision_pct,
    round(
        100.0 * (counted.hits + counted.serviced)
        / nullif(counted.hits + counted.false_alarms + counted.serviced, 0), 1
    ) as precision_with_serviced_pct,
    round(100.0 * counted.hits / nullif(counted.hits + counted.misses, 0), 1) as recall_pct,
    round(counted.lead_h::numeric, 1) as median_lead_h
from counted
join prediction.model on model.id = counted.model_id
order by counted.month, model.name, model.model_version, counted.horizon_h
