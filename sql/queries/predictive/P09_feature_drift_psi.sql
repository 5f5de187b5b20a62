-- name: P09 feature_drift_psi
-- title: Has what the models look at moved away from what they were trained on?
-- audience: O
-- param: model text = null
-- param: as_of timestamptz = now
-- columns: model, version, status, feature, psi, verdict, missing_pct, training_missing_pct,
--          measured_at
-- notes: One row a model and feature (or score), as last measured; the largest population stability
--        index first. By convention 0.1 is worth watching and 0.25 worth acting.
select
    model.name as model,
    model.model_version as version,
    model.status,
    moved.feature,
    moved.psi,
    moved.verdict,
    round((100 * moved.missing_share)::numeric, 1) as missing_pct,
    round((100 * moved.training_missing_share)::numeric, 1) as training_missing_pct,
    moved.measured_at
from (
    select distinct on (drift.model_id, drift.feature) drift.*
    from prediction.drift
    where drift.measured_at <= %(as_of)s::timestamptz and drift.deleted_at is null
    order by drift.model_id, drift.feature, drift.measured_at desc
) as moved
join prediction.model on model.id = moved.model_id and model.deleted_at is null
where model.status <> 'retired' and (%(model)s::text is null or model.name = %(model)s::text)
order by moved.psi desc nulls last, model.name, model.model_version, moved.feature
