-- name: P04 risk_rising
-- title: Whose risk has risen most in the last week or month?
-- audience: B
-- param: facility text = null
-- param: most int = 50
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, model, horizon_h, p_now, p_7d, p_30d, rise_7d, rise_30d
-- notes: One row an asset, active model and horizon, the steepest of the two rises first. p_7d and
--        p_30d are the newest scores that were 7 and 30 days old; NULL: there was none, up to a
--        week earlier. Only what was scored within the last week.
with score as (
    select
        score.asset_id,
        score.model_id,
        score.model_name,
        score.model_version,
        score.horizon_h,
        public.last(score.p_failure, score.ts)
            filter (where score.ts > %(as_of)s::timestamptz - interval '7 days') as p_now,
        public.last(score.p_failure, score.ts)
            filter (
                where score.ts <= %(as_of)s::timestamptz - interval '7 days'
                    and score.ts > %(as_of)s::timestamptz - interval '14 days'
            ) as p_7d,
        public.last(score.p_failure, score.ts)
            filter (where score.ts <= %(as_of)s::timestamptz - interval '30 days') as p_30d
    from reporting.prediction_score as score
    where score.ts > %(as_of)s::timestamptz - interval '37 days'
        and score.ts <= %(as_of)s::timestamptz
    group by
        score.asset_id, score.model_id, score.model_name, score.model_version, score.horizon_h
)
select
    asset.tag_number as asset_tag,
    asset.name,
    facility.code as facility,
    concat_ws(' ', score.model_name, score.model_version) as model,
    score.horizon_h,
    score.p_now,
    score.p_7d,
    score.p_30d,
    score.p_now - score.p_7d as rise_7d,
    score.p_now - score.p_30d as rise_30d
from score
join prediction.model on model.id = score.model_id and model.status = 'active'
join registry.asset on asset.id = score.asset_id
    and asset.deleted_at is null
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
join registry.facility on facility.id = asset.facility_id
where greatest(score.p_now - score.p_7d, score.p_now - score.p_30d) > 0
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by
    greatest(score.p_now - score.p_7d, score.p_now - score.p_30d) desc, asset.tag_number,
    score.horizon_h
limit %(most)s::int
