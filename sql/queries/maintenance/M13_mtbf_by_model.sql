-- name: M13 mtbf_by_model
-- title: How long does each model run between failures, and how sure is that?
-- audience: B
-- param: category text = null
-- param: as_of timestamptz = now
-- columns: manufacturer, model, device_type, category, assets, exposure_h, time_basis, failures,
--          mtbf_h, mtbf_lower95_h, availability
-- notes: One row a model and kind of clock, the least reliable first. mtbf_h is NULL without a
--        failure; mtbf_lower95_h then still says what it is at least, with 95 percent confidence.
select
    model.manufacturer,
    model.model,
    kind.name as device_type,
    kind.category,
    model.assets,
    model.exposure_h,
    model.time_basis,
    model.failures,
    model.mtbf_h,
    model.mtbf_lower95_h,
    model.availability
from reporting.f_v_reliability_by_model(%(as_of)s::timestamptz) as model
left join registry.device_model on device_model.id = model.device_model_id
left join registry.device_type as kind on kind.id = device_model.device_type_id
where %(category)s::text is null or kind.category = %(category)s::text
order by model.mtbf_h nulls last, model.mtbf_lower95_h, model.manufacturer, model.model,
    model.time_basis
