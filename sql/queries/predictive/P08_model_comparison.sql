-- name: P08 model_comparison
-- title: Is a shadow model better than the active one?
-- audience: O
-- param: from timestamptz = now - 180 days
-- param: to timestamptz = now
-- columns: horizon_h, model, version, status, n, events, brier, brier_skill, auc, ap
-- notes: One row an active or shadow model, by horizon, the best Brier score first. All are judged on
--        the same predictions: those assets and moments that every one of them has scored for the
--        horizon. With fewer than 30 failures the ranking figures are NULL: they would be chance.
with candidate as (
    select model.id, model.name, model.model_version, model.status, model.horizon_h
    from prediction.model
    where model.status in ('active', 'shadow') and model.deleted_at is null
),
judged as (
    select
        outcome.model_id,
        outcome.horizon_h,
        outcome.asset_id,
        outcome.as_of,
        outcome.p_failure as p,
        (outcome.outcome = 'FAILED')::integer as failed,
        count(*) over (
            partition by outcome.horizon_h, outcome.asset_id, outcome.as_of
        ) as scored_by
    from prediction.outcome
    join candidate on candidate.id = outcome.model_id
    join registry.asset on asset.id = outcome.asset_id and asset.deleted_at is null
    where outcome.as_of >= %(from)s::timestamptz
        and outcome.as_of < %(to)s::timestamptz
        and outcome.outcome <> 'CENSORED'
        and outcome.deleted_at is null
),
rival as (
    select judged.horizon_h, count(distinct judged.model_id) as models
    from judged
    group by judged.horizon_h
),
common as (
    select
        judged.*,
        rank() over up
            + (count(*) over (partition by judged.model_id, judged.horizon_h, judged.p) - 1) / 2.0
            as place,
        count(*) over down as alarms,
        sum(judged.failed) over down as hits
    from judged
    join rival on rival.horizon_h = judged.horizon_h and rival.models = judged.scored_by
    window
        up as (partition by judged.model_id, judged.horizon_h order by judged.p),
        down as (partition by judged.model_id, judged.horizon_h order by judged.p desc)
),
figure as (
    select
        common.model_id,
        common.horizon_h,
        count(*) as n,
        sum(common.failed) as events,
        avg((common.p - common.failed) ^ 2) as brier,
        avg(common.failed)::double precision as base,
        (
            sum(common.place) filter (where common.failed = 1)
            - sum(common.failed) * (sum(common.failed) + 1) / 2.0
        ) / nullif(sum(common.failed) * (count(*) - sum(common.failed)), 0) as auc,
        avg(common.hits::double precision / common.alarms) filter (where common.failed = 1) as ap
    from common
    group by common.model_id, common.horizon_h
)
select
    figure.horizon_h,
    candidate.name as model,
    candidate.model_version as version,
    candidate.status,
    figure.n,
    figure.events,
    round(figure.brier::numeric, 5) as brier,
    case when figure.events >= 30 then
        round((1 - figure.brier / nullif(figure.base * (1 - figure.base), 0))::numeric, 4)
    end as brier_skill,
    case when figure.events >= 30 then round(figure.auc, 4) end as auc,
    case when figure.events >= 30 then round(figure.ap::numeric, 4) end as ap
from figure
join candidate on candidate.id = figure.model_id
order by figure.horizon_h, figure.brier, candidate.name, candidate.model_version
