-- How good were the predictions, by model and month, once their horizon was over?
--
-- Censored ones (retired, replaced, serviced before the horizon was over) tell nothing and are left
-- out. With fewer than 30 failures, ranking figures say more about chance than about the model: they
-- are NULL and the status says so.
create view reporting.v_model_performance with (security_invoker = true) as
with settled as (
    select
        outcome.organization_id,
        outcome.model_id,
        date_trunc('month', outcome.as_of, 'UTC') as month,
        outcome.p_failure as p,
        outcome.outcome,
        (outcome.outcome = 'FAILED')::integer as failed
    from prediction.outcome
    join registry.asset on asset.id = outcome.asset_id and asset.deleted_at is null
    where outcome.deleted_at is null
),
judged as (
    select
        settled.*,
        -- Mid-rank: ties share theirs.
        rank() over series
            + (count(*) over (partition by settled.model_id, settled.month, settled.p) - 1) / 2.0
            as place,
        count(*) over down as alarms,
        sum(settled.failed) over down as hits,
        ntile(10) over series as bin
    from settled
    where settled.outcome <> 'CENSORED'
    window
        series as (partition by settled.model_id, settled.month order by settled.p),
        down as (partition by settled.model_id, settled.month order by settled.p desc)
),
bin as (
    select
        judged.model_id,
        judged.month,
        count(*) * abs(avg(judged.p) - avg(judged.failed)) as gap
    from judged
    group by judged.model_id, judged.month, judged.bin
),
calibration as (
    select bin.model_id, bin.month, sum(bin.gap) as gap from bin group by bin.model_id, bin.month
),
figure as (
    select
        judged.organization_id,
        judged.model_id,
        judged.month,
        count(*) as n,
        sum(judged.failed) as events,
        (
            sum(judged.place) filter (where judged.failed = 1)
            - sum(judged.failed) * (sum(judged.failed) + 1) / 2.0
        ) / nullif(sum(judged.failed) * (count(*) - sum(judged.failed)), 0) as auc,
        -- Each failure adds the precision at its score.
        avg(judged.hits::double precision / judged.alarms) filter (where judged.failed = 1) as ap,
        avg((judged.p - judged.failed) ^ 2) as brier,
        avg(judged.failed) as base
    from judged
    group by judged.organization_id, judged.model_id, judged.month
),
drift as (
    select
        moved.model_id,
        date_trunc('month', moved.measured_at, 'UTC') as month,
        max(moved.psi) as psi
    from prediction.drift as moved
    where moved.deleted_at is null
    group by moved.model_id, date_trunc('month', moved.measured_at, 'UTC')
)
select
    figure.organization_id,
    model.name as model,
    model.model_version as version,
    (figure.month at time zone 'UTC')::date as month,
    figure.n,
    figure.events,
    case when figure.events >= 30 then figure.auc::double precision end as auc,
    case when figure.events >= 30 then figure.ap end as ap,
    figure.brier,
    case
        when figure.events >= 30
        then 1 - figure.brier / nullif(figure.base * (1 - figure.base), 0)::double precision
    end as brier_skill,
    case when figure.events >= 30 then calibration.gap / figure.n end as ece,
    drift.psi as drift_psi_max,
    case
        when figure.events < 30 then 'insufficient data'
        when drift.psi >= 0.25 then 'act'
        when drift.psi >= 0.1 then 'watch'
        else 'ok'
    end as status,
    model.id as model_id,
    model.status as model_status,
    model.horizon_h
from figure
join prediction.model on model.id = figure.model_id and model.deleted_at is null
join calibration on calibration.model_id = figure.model_id and calibration.month = figure.month
left join drift on drift.model_id = figure.model_id and drift.month = figure.month;

comment on view reporting.v_model_performance is
    'Predictions against what happened, by model and UTC month of the prediction.';
comment on column reporting.v_model_performance.n is 'Settled and not censored.';
comment on column reporting.v_model_performance.auc is
    'Area under the ROC curve; with ap, brier_skill and ece NULL below 30 events.';
comment on column reporting.v_model_performance.ap is 'Average precision; ties count as one step.';
comment on column reporting.v_model_performance.brier_skill is
    'Gain over always predicting the month''s own base rate.';
comment on column reporting.v_model_performance.ece is
    'Expected calibration error over ten bins of equal count.';
comment on column reporting.v_model_performance.drift_psi_max is
    'The largest population stability index of any feature measured that month.';
comment on column reporting.v_model_performance.status is
    'insufficient data (below 30 events), act (drift 0.25 or more), watch (0.1), ok.';
grant select on reporting.v_model_performance to biotrakr_analyst, biotrakr_app;
