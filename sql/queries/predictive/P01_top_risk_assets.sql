-- name: P01 top_risk_assets
-- title: Which assets are most likely to fail soon, why, and when were they last maintained?
-- audience: B
-- param: horizon_h int = null
-- param: facility text = null
-- param: most int = 50
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, horizon_h, p_failure, p_low, p_high, factors, last_pm_on,
--          open_wo, scored_at, is_stale, model
-- notes: One row an asset, active model and horizon, the highest probability (0 to 1) first.
select
    risk.asset_tag,
    asset.name,
    facility.code as facility,
    risk.horizon_h,
    risk.p_failure,
    risk.p_low,
    risk.p_high,
    risk.factors,
    (
        select max(done.completed_on)
        from maintenance.occurrence as done
        join maintenance.schedule on schedule.id = done.schedule_id and schedule.kind = 'PM'
        where done.organization_id = risk.organization_id
            and done.asset_id = risk.asset_id
            and done.outcome = 'COMPLETED'
            and done.deleted_at is null
    ) as last_pm_on,
    risk.open_wo,
    risk.scored_at,
    risk.is_stale,
    concat_ws(' ', risk.model_name, risk.version) as model
from reporting.f_v_risk_current(%(as_of)s::timestamptz) as risk
join registry.asset on asset.id = risk.asset_id
join registry.facility on facility.id = risk.facility_id
where (%(horizon_h)s::int is null or risk.horizon_h = %(horizon_h)s::int)
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by risk.p_failure desc, risk.asset_tag, risk.horizon_h
limit %(most)s::int
