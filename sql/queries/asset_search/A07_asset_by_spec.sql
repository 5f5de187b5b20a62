-- name: A07 asset_by_spec
-- title: Which assets have these technical specifications?
-- audience: B
-- param: specifications text
-- columns: asset_id, asset_tag, name, manufacturer, model, facility, technical_specifications
-- notes: One row an asset. specifications is a JSON object, such as {"channels": 3}; an asset
--        matches when its own ones, over its model's, contain it.
select
    register.asset_id,
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.facility,
    coalesce(model.specifications, '{}') || asset.specifications as technical_specifications
from registry.asset
join reporting.v_asset_register as register on register.asset_id = asset.id
left join registry.device_model as model on model.id = asset.device_model_id
where coalesce(model.specifications, '{}') || asset.specifications
    @> %(specifications)s::text::jsonb
order by register.manufacturer, register.model, register.asset_tag
