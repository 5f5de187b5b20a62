-- What is missing that must be there? One row an asset and required field that is empty.
--
-- A site file knows nine columns of an asset (and says "unknown" for three of them); everything else is entered or imported later. When
-- nothing is missing, `update registry.asset set complete = true` makes the database keep it so.
create view reporting.v_asset_incomplete with (security_invoker = true) as
select
    asset.organization_id,
    asset.facility_id,
    asset.id as asset_id,
    asset.tag_number as asset_tag,
    asset.name,
    asset.status,
    required.field
from registry.asset
left join registry.device_model as model on model.id = asset.device_model_id
cross join lateral (
    values
        ('manufacturer', asset.manufacturer not in ('', 'unknown')),
        ('model_number', asset.model not in ('', 'unknown')),
        ('serial_number', asset.serial_number not in ('', 'unknown')),
        ('udi_device_identifier', coalesce(asset.udi_di, model.udi_di) is not null),
        ('criticality_level', asset.criticality is not null),
        ('vendor_id', asset.vendor_id is not null),
        ('purchase_date', asset.purchased_on is not null),
        ('purchase_cost', asset.purchase_cost is not null),
        ('currency_code', asset.currency_code is not null),
        ('requires_calibration', model.id is not null),
        ('risk_classification', model.id is not null),
        ('requires_operator_certification', model.id is not null),
        ('primary_custodian_id', asset.custodian_id is not null),
        ('custodian_department_id', asset.department_id is not null),
        ('created_by_user_id', asset.created_by is not null),
        ('depreciation_method', exists (
            select from finance.depreciation as entry
            where entry.organization_id = asset.organization_id
                and entry.asset_id = asset.id and entry.deleted_at is null
        )),
        ('pm_compliance_status', exists (
            select from maintenance.schedule as planned
            where planned.organization_id = asset.organization_id and planned.kind = 'PM'
                and planned.asset_id = asset.id and planned.deleted_at is null
        )),
        ('last_seen_timestamp', exists (
            select from tracking.asset_location_current as place where place.asset_id = asset.id
        ))
) as required (field, present)
where asset.deleted_at is null
    and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    and not required.present;

comment on view reporting.v_asset_incomplete is
    'Required fields that an asset in use lacks, one row each.';
comment on column reporting.v_asset_incomplete.field is 'Its name in reporting.asset_full.';
grant select on reporting.v_asset_incomplete to biotrakr_analyst, biotrakr_app;
