-- Which gateways are alive, and up to when have their reads arrived?
-- Runs as the owner behind a barrier: tenants cannot read the dataflow's books.
drop view if exists reporting.gateway_health;
create view reporting.gateway_health with (security_barrier = true) as
select
    gateway.organization_id,
    gateway.facility_id,
    gateway.id as gateway_id,
    facility.code as facility_code,
    building.code as building_code,
    gateway.code as gateway_code,
    gateway.enabled,
    status.state,
    status.at as status_at,
    status.payload ->> 'version' as version,
    (status.payload -> 'clock' ->> 'synchronised')::boolean as clock_synchronised,
    (status.payload -> 'spool' ->> 'batches')::bigint as spool_batches,
    (status.payload -> 'spool' ->> 'dropped_reads')::bigint as dropped_reads,
    heard.until as reads_until,
    status.payload
from registry.gateway
join registry.facility on facility.id = gateway.facility_id
join registry.building on building.id = gateway.building_id
left join pipeline.gateway_status as status on status.gateway_id = gateway.id
left join (
    select gateway_id, max(until) as until
    from pipeline.gateway_progress
    group by gateway_id
) as heard on heard.gateway_id = gateway.id
where gateway.deleted_at is null
    and gateway.organization_id = (select app.current_org());

comment on view reporting.gateway_health is 'One row a gateway: its last status, and its reads.';
comment on column reporting.gateway_health.state is 'online or offline; NULL: it never reported.';
comment on column reporting.gateway_health.status_at is 'When it said so.';
comment on column reporting.gateway_health.spool_batches is
    'Batches it still holds unacknowledged.';
comment on column reporting.gateway_health.dropped_reads is
    'Reads it gave up because the spool was full.';
comment on column reporting.gateway_health.reads_until is
    'Event time up to which all of its reads are stored.';
comment on column reporting.gateway_health.payload is 'The whole status message.';
grant select on reporting.gateway_health to biotrakr_analyst, biotrakr_app;
