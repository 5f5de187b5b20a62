-- Which messages were refused, and why? Of those whose topic names the organization.
-- Runs as the owner behind a barrier: tenants cannot read the dataflow's books.
drop view if exists reporting.ingest_rejects;
create view reporting.ingest_rejects with (security_barrier = true) as
select
    organization.id as organization_id,
    facility.id as facility_id,
    split_part(refused.topic, '/', 4) as facility_code,
    refused.topic,
    refused.reason,
    refused.detail,
    refused.bytes,
    refused.times,
    refused.first_at,
    refused.last_at
from pipeline.dead_letter as refused
join registry.organization on organization.code = split_part(refused.topic, '/', 3)
    and organization.deleted_at is null
left join registry.facility on facility.organization_id = organization.id
    and facility.code = split_part(refused.topic, '/', 4)
    and facility.deleted_at is null
where organization.id = (select app.current_org())
    and ((select app.current_facilities()) is null or facility.id is not null);

comment on view reporting.ingest_rejects is 'One row a refused message; the same one again counts.';
comment on column reporting.ingest_rejects.facility_id is 'NULL: the topic names none of ours.';
comment on column reporting.ingest_rejects.times is 'How often it came.';
grant select on reporting.ingest_rejects to biotrakr_analyst, biotrakr_app;
