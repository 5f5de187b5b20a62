-- How soon was what was heard stored, and how much came twice or late? One row a written window.
-- Runs as the owner behind a barrier: tenants cannot read the dataflow's books.
drop view if exists reporting.ingest_windows;
create view reporting.ingest_windows with (security_barrier = true) as
select
    building.organization_id,
    building.facility_id,
    facility.code as facility_code,
    written.building_id,
    building.code as building_code,
    written.window_start,
    written.window_end,
    written.committed_at,
    extract(epoch from written.committed_at - written.window_end)::double precision as lag_s,
    written.reads,
    written.positions,
    written.late,
    written.duplicates,
    written.revision
from pipeline.window_commit as written
join registry.building on building.id = written.building_id
join registry.facility on facility.id = building.facility_id
where building.organization_id = (select app.current_org());

comment on view reporting.ingest_windows is
    'One row a building and window that the dataflow has written; filter by window_end.';
comment on column reporting.ingest_windows.lag_s is 'From the window''s end until it was stored.';
comment on column reporting.ingest_windows.late is 'Reads that came after their window.';
comment on column reporting.ingest_windows.duplicates is 'Batches that came again and were dropped.';
comment on column reporting.ingest_windows.revision is
    '0: as first written; else history was computed again, and lag_s is that of the revision.';
grant select on reporting.ingest_windows to biotrakr_analyst, biotrakr_app;
