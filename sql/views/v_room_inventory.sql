-- What is in each room, by kind, and what of it can be taken? One row a room and device type.
create function reporting.f_v_room_inventory(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    room_id uuid,
    room text,
    type text,
    total bigint,
    available bigint,
    in_use bigint,
    in_maintenance bigint,
    unknown bigint,
    device_type_id uuid
)
language sql stable
begin atomic
    select
        now.organization_id,
        now.facility_id,
        now.room_id,
        now.room,
        now.type,
        count(*),
        count(*) filter (where now.is_available),
        count(*) filter (where now.state = 'IN_USE'),
        count(*) filter (where now.state = 'MAINTENANCE'),
        count(*) filter (where now.state = 'UNKNOWN'),
        now.device_type_id
    from reporting.f_v_asset_availability(as_of) as now
    where now.room_id is not null
    group by
        now.organization_id, now.facility_id, now.room_id, now.room, now.type, now.device_type_id;
end;
create view reporting.v_room_inventory with (security_invoker = true) as
select * from reporting.f_v_room_inventory(now());

comment on function reporting.f_v_room_inventory(timestamptz) is
    'reporting.v_room_inventory with states at a time; places are the present ones.';
comment on view reporting.v_room_inventory is
    'Assets in each room by device type and state; the rest of total is being cleaned, not clean, '
    'quarantined or recalled.';
comment on column reporting.v_room_inventory.unknown is
    'Last seen here, but not for long: perhaps gone.';
grant execute on function reporting.f_v_room_inventory(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_room_inventory to biotrakr_analyst, biotrakr_app;
