-- Row trigger of tracking.room_visit: the building follows from the room. The exclusion constraint
-- needs it as a column.
create or replace function tracking.fill_building() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    if new.building_id is null then
        select floor.building_id into new.building_id
        from registry.room
        join registry.floor on floor.id = room.floor_id
        where room.id = new.room_id;
    end if;
    return new;
end
$$;
comment on function tracking.fill_building() is 'Row trigger: building_id from room_id.';
