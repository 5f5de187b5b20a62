-- What is there? One row a live asset, with the names of what it belongs to.
create view reporting.v_asset_register with (security_invoker = true) as
select
    asset.organization_id,
    asset.facility_id,
    asset.id as asset_id,
    asset.tag_number as asset_tag,
    asset.name,
    coalesce(maker.name, asset.manufacturer) as manufacturer,
    coalesce(model.model_number, asset.model) as model,
    asset.serial_number as serial,
    asset.category,
    kind.name as subcategory,
    asset.status,
    asset.criticality,
    model.risk_class as device_class,
    department.name as department,
    custodian.display_name as custodian,
    facility.code as facility,
    coalesce(asset.udi_di, model.udi_di) as udi_di,
    asset.version,
    asset.updated_at
from registry.asset
join registry.facility on facility.id = asset.facility_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.manufacturer as maker on maker.id = model.manufacturer_id
left join registry.device_type as kind on kind.id = model.device_type_id
left join registry.department on department.id = asset.department_id
left join registry.user_account as custodian on custodian.id = asset.custodian_id
where asset.deleted_at is null;

comment on view reporting.v_asset_register is 'Every live asset with the names around it.';
comment on column reporting.v_asset_register.manufacturer is
    'Of its model; as on its label while it has none; model likewise.';
comment on column reporting.v_asset_register.subcategory is 'The type of its model.';
comment on column reporting.v_asset_register.device_class is
    'Risk class of its model: III is the highest.';
comment on column reporting.v_asset_register.udi_di is 'Its own, else its model''s.';
comment on column reporting.v_asset_register.version is 'For optimistic locking.';
grant select on reporting.v_asset_register to biotrakr_analyst, biotrakr_app;
