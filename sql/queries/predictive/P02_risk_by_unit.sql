-- name: P02 risk_by_unit
-- title: How many failures are to be expected in each department within the horizon?
-- audience: B, N
-- param: horizon_h int = 720
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: facility, department, assets, expected_failures, p_at_least_one, highest, stale
-- notes: One row a facility and department that answers for the assets. expected_failures is the sum
--        of the probabilities. An asset that several active models score counts once, by the model
--        of its own type before one for all types. p_at_least_one takes failures for independent.
with risk as (
    select distinct on (scored.asset_id) scored.*
    from reporting.f_v_risk_current(%(as_of)s::timestamptz) as scored
    join prediction.model on model.id = scored.model_id
    where scored.horizon_h = %(horizon_h)s::int
    order by scored.asset_id, model.device_type_id is null, scored.scored_at desc
)
select
    facility.code as facility,
    department.name as department,
    count(*) as assets,
    round(sum(risk.p_failure)::numeric, 3) as expected_failures,
    case
        when bool_or(risk.p_failure >= 1) then 1
        else round((1 - exp(sum(ln(1 - least(risk.p_failure, 1 - 1e-12)))))::numeric, 3)
    end as p_at_least_one,
    max(risk.p_failure) as highest,
    count(*) filter (where risk.is_stale) as stale
from risk
join registry.asset on asset.id = risk.asset_id
join registry.facility on facility.id = asset.facility_id
left join registry.department on department.id = asset.department_id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by facility.code, department.name
order by expected_failures desc, facility.code, department.name
