-- Statement trigger of every master that the dataflow reads: counts the facilities it touches, so
-- a running dataflow learns with one small query whether it must read its buildings again.
--
-- An update counts the old and the new rows: an asset that moves concerns two facilities. Rows are
-- locked in the order of their ids, so two writers cannot wait for each other.
create or replace function registry.bump_revision() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    changed constant text := case tg_op
        when 'INSERT' then 'select * from new_rows'
        when 'DELETE' then 'select * from old_rows'
        else 'select * from new_rows union all select * from old_rows'
    end;
    path constant text := case tg_table_name
        when 'organization' then 'join registry.facility on facility.organization_id = changed.id'
        when 'facility' then 'join registry.facility on facility.id = changed.id'
        when 'floor' then
            'join registry.building on building.id = changed.building_id
             join registry.facility on facility.id = building.facility_id'
        when 'zone' then
            'join registry.building on building.id = changed.building_id
             join registry.facility on facility.id = building.facility_id'
        when 'room' then
            'join registry.floor on floor.id = changed.floor_id
             join registry.building on building.id = floor.building_id
             join registry.facility on facility.id = building.facility_id'
        when 'receiver' then
            'join registry.gateway on gateway.id = changed.gateway_id
             join registry.facility on facility.id = gateway.facility_id'
        when 'tag' then
            'join registry.tag_assignment as worn on worn.tag_id = changed.id
             join registry.asset on asset.id = worn.asset_id
             join registry.facility on facility.id = asset.facility_id'
        when 'tag_assignment' then
            'join registry.asset on asset.id = changed.asset_id
             join registry.facility on facility.id = asset.facility_id'
        else 'join registry.facility on facility.id = changed.facility_id'
    end;
begin
    execute format(
        'insert into registry.facility_revision as counted (organization_id, facility_id, revision)
         select distinct facility.organization_id, facility.id, 1 from (%s) as changed %s
         order by 2
         on conflict (facility_id) do update set revision = counted.revision + 1',
        changed, path
    );
    return null;
end
$$;
comment on function registry.bump_revision() is 'Statement trigger: registry.facility_revision.';
