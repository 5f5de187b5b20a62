-- Is the unique device identification of every asset there and sound?
create view reporting.v_udi_quality with (security_invoker = true) as
select
    asset.organization_id,
    asset.facility_id,
    asset.id as asset_id,
    coalesce(asset.udi_issuer, model.udi_issuer) as issuer,
    coalesce(asset.udi_di, model.udi_di) as udi_di,
    asset.udi_check_ok as check_ok,
    asset.lot_number as lot,
    asset.serial_number as serial,
    asset.expires_on as expiry,
    case
        when coalesce(asset.udi_di, model.udi_di) is null then 'missing'
        when asset.udi_problem is not null then asset.udi_problem
        when coalesce(asset.udi_issuer, model.udi_issuer) is null then 'issuer unknown'
        when not asset.udi_check_ok then 'check character wrong'
        when asset.udi_check_ok is null then 'not checked'
    end as problem
from registry.asset
left join registry.device_model as model on model.id = asset.device_model_id
where asset.deleted_at is null;

comment on view reporting.v_udi_quality is 'One row a live asset; problem NULL: the UDI is sound.';
comment on column reporting.v_udi_quality.udi_di is
    'Device identifier of the asset, else of its model.';
comment on column reporting.v_udi_quality.check_ok is
    'Verdict on the check character; NULL: never checked. Makers get it wrong: a warning only.';
comment on column reporting.v_udi_quality.problem is 'What is wrong, the gravest first.';
grant select on reporting.v_udi_quality to biotrakr_analyst, biotrakr_app;
