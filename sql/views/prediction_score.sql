-- Which risk was seen when? Always give a range of ts.
-- Runs as the owner behind a barrier, as reporting.location_history.
drop view if exists reporting.prediction_score;
create view reporting.prediction_score with (security_barrier = true) as
select
    score.organization_id,
    score.asset_id,
    score.model_id,
    model.name as model_name,
    model.model_version,
    score.horizon_h,
    score.ts,
    score.as_of,
    score.p_failure,
    score.p_low,
    score.p_high,
    score.p_raw,
    score.expected_ttf_h,
    score.failure_category,
    score.factors
from telemetry.prediction_score as score
left join prediction.model on model.id = score.model_id
where score.organization_id = (select app.current_org())
    and score.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or score.asset_id in (select asset.id from registry.asset)
    );

comment on view reporting.prediction_score is 'Every score of every model; filter by ts.';
comment on column reporting.prediction_score.ts is 'When it was computed.';
comment on column reporting.prediction_score.as_of is 'Nothing learnt later went into it.';
comment on column reporting.prediction_score.p_failure is
    'Probability, 0 to 1, of a failure within horizon_h of as_of.';
grant select on reporting.prediction_score to biotrakr_analyst, biotrakr_app;
