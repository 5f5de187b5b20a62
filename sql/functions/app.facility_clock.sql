-- How far event time has come in a facility: what is still open is counted up to here. The wall
-- clock would let a session grow while the dataflow stands still.
--
-- Security definer because tenants cannot read the dataflow's books; row security on
-- registry.building still applies to the owner, so a foreign facility gives NULL.
create or replace function app.facility_clock(facility uuid) returns timestamptz
language sql stable parallel safe security definer
set search_path = pg_catalog
as $$
    select max(progress.window_end)
    from pipeline.progress
    join registry.building on building.id = progress.building_id
    where building.facility_id = facility
$$;
grant execute on function app.facility_clock(uuid) to biotrakr_analyst, biotrakr_app;
comment on function app.facility_clock(uuid) is
    'End of the newest window that was written for any building of the facility.';
