-- Row trigger: an alternative maintenance program is not for imaging equipment and lasers (CMS S&C
-- 14-07), whichever end of the relation changes.
create or replace function maintenance.refuse_aem() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    refused boolean;
begin
    if tg_relid = 'maintenance.schedule'::regclass then
        select asset.category = 'IMAGING' or coalesce(kind.category = 'IMAGING' or kind.is_laser, false)
        into refused
        from registry.asset
        left join registry.device_model as model on model.id = asset.device_model_id
        left join registry.device_type as kind on kind.id = model.device_type_id
        where asset.id = new.asset_id;
    elsif tg_relid = 'registry.asset'::regclass then
        select new.category = 'IMAGING' or coalesce((
            select kind.category = 'IMAGING' or kind.is_laser
            from registry.device_model as model
            join registry.device_type as kind on kind.id = model.device_type_id
            where model.id = new.device_model_id
        ), false) into refused;
        refused := refused and exists (
            select from maintenance.schedule
            where schedule.asset_id = new.id and schedule.strategy = 'AEM'
                and schedule.deleted_at is null and schedule.ends_on is null
        );
    else
        refused := (new.category = 'IMAGING' or new.is_laser) and exists (
            select from registry.device_model as model
            join registry.asset on asset.device_model_id = model.id
            join maintenance.schedule on schedule.asset_id = asset.id
            where model.device_type_id = new.id and schedule.strategy = 'AEM'
                and schedule.deleted_at is null and schedule.ends_on is null
        );
    end if;
    if refused then
        raise exception 'an alternative maintenance program is not allowed for imaging equipment '
            'and lasers: use the manufacturer''s (OEM)'
            using errcode = 'check_violation', constraint = 'schedule_aem_is_allowed';
    end if;
    return new;
end
$$;
comment on function maintenance.refuse_aem() is 'Row trigger: no AEM for imaging and lasers.';
