-- Which batches came after their window, and did they become history?
-- Runs as the owner behind a barrier: tenants cannot read the dataflow's books.
drop view if exists reporting.late_batches;
create view reporting.late_batches with (security_barrier = true) as
select
    gateway.organization_id,
    gateway.facility_id,
    facility.code as facility_code,
    gateway.code as gateway_code,
    late.building_id,
    building.code as building_code,
    late.late_reads,
    late.first_at,
    late.last_at,
    late.recorded_at,
    late.settled_at,
    late.revision,
    late.note,
    revised.from_at as revised_from,
    revised.until_at as revised_until
from pipeline.late_batch as late
join registry.gateway on gateway.id = late.gateway_id
join registry.facility on facility.id = gateway.facility_id
join registry.building on building.id = late.building_id
left join pipeline.revision as revised on revised.id = late.revision
where gateway.organization_id = (select app.current_org());

comment on view reporting.late_batches is 'One row a batch with late reads.';
comment on column reporting.late_batches.recorded_at is 'When it came.';
comment on column reporting.late_batches.settled_at is
    'When it was taken into history, or given up (note); NULL: it waits.';
comment on column reporting.late_batches.revised_from is
    'The stretch of history that was computed again because of it, to revised_until.';
grant select on reporting.late_batches to biotrakr_analyst, biotrakr_app;
