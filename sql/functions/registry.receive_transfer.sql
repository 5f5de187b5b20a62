-- Row trigger of a transfer that is received: from now on the asset is the receiver's.
create or replace function registry.receive_transfer() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    update registry.asset
    set facility_id = new.to_facility_id,
        department_id = coalesce(new.to_department_id, department_id)
    where id = new.asset_id;
    return null;
end
$$;
comment on function registry.receive_transfer() is
    'Row trigger: a received transfer changes who owns the asset.';
