-- name: P05 predicted_without_wo
-- title: Which assets are at high risk while nobody is working on them?
-- audience: B
-- param: threshold numeric = null
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, device_type, horizon_h, p_failure, threshold, factors,
--          scored_at, is_stale
-- notes: One row an asset, active model and horizon without an open work order. The threshold is the
--        one given, else risk_high of registry.threshold for the facility and type, else the one
--        that the type's cost of a missed failure (in false alarms) makes worth while, else 0.5.
select
    risk.asset_tag,
    asset.name,
    facility.code as facility,
    type.code as device_type,
    risk.horizon_h,
    risk.p_failure,
    round(bar.p, 3) as threshold,
    risk.factors,
    risk.scored_at,
    risk.is_stale
from reporting.f_v_risk_current(%(as_of)s::timestamptz) as risk
join registry.asset on asset.id = risk.asset_id
join registry.facility on facility.id = asset.facility_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as type on type.id = model.device_type_id
join (
    select
        place.id as facility_id,
        kind.id as device_type_id,
        coalesce(
            %(threshold)s::numeric,
            app.threshold('risk_high', place.id, kind.id, null),
            1 / (1 + kind.cost_fn_to_fp),
            0.5
        ) as p
    from registry.facility as place
    cross join (
        select device_type.id, device_type.cost_fn_to_fp from registry.device_type
        union all
        select null, null
    ) as kind
) as bar on bar.facility_id = facility.id and bar.device_type_id is not distinct from type.id
where risk.open_wo is null
    and risk.p_failure >= bar.p
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by risk.p_failure desc, risk.asset_tag, risk.horizon_h
