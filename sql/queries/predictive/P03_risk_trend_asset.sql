-- name: P03 risk_trend_asset
-- title: How has the risk of this asset developed, and what happened to it meanwhile?
-- audience: B
-- param: tag text
-- param: from timestamptz = now - 90 days
-- param: to timestamptz = now
-- columns: at, kind, model, horizon_h, p_failure, p_low, p_high, detail
-- notes: One row a score (kind score) or event (failure, work order, maintenance) in order of time.
with subject as (
    select asset.id, asset.organization_id
    from registry.asset
    where asset.tag_number = %(tag)s::text and asset.deleted_at is null
)
select
    score.ts as at,
    'score' as kind,
    concat_ws(' ', score.model_name, score.model_version) as model,
    score.horizon_h,
    score.p_failure,
    score.p_low,
    score.p_high,
    score.failure_category as detail
from reporting.prediction_score as score
where score.asset_id = (select subject.id from subject)
    and score.ts >= %(from)s::timestamptz
    and score.ts < %(to)s::timestamptz
union all
select
    coalesce(work.failed_at, work.reported_at),
    case when work.failure_confirmed then 'failure' else 'work order' end,
    null, null, null, null, null,
    concat_ws(' ', work.number, work.type, work.failure_category, work.title)
from subject
join maintenance.work_order as work on work.organization_id = subject.organization_id
    and work.asset_id = subject.id
    and work.deleted_at is null
where coalesce(work.failed_at, work.reported_at) >= %(from)s::timestamptz
    and coalesce(work.failed_at, work.reported_at) < %(to)s::timestamptz
union all
select
    done.completed_on::timestamptz,
    'maintenance',
    null, null, null, null, null,
    concat_ws(' ', schedule.kind, procedure.name)
from subject
join maintenance.occurrence as done on done.organization_id = subject.organization_id
    and done.asset_id = subject.id
    and done.outcome = 'COMPLETED'
    and done.deleted_at is null
join maintenance.schedule on schedule.id = done.schedule_id
join maintenance.procedure on procedure.id = schedule.procedure_id
where done.completed_on >= %(from)s::timestamptz and done.completed_on < %(to)s::timestamptz
order by at, kind, model, horizon_h
