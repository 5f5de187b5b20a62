-- Which tags were heard that no asset wears?
-- Runs as the owner behind a barrier: tenants cannot read the dataflow's books.
drop view if exists reporting.unknown_tags;
create view reporting.unknown_tags with (security_barrier = true) as
select
    heard.organization_id,
    heard.facility_id,
    facility.code as facility_code,
    building.code as building_code,
    heard.tag,
    heard.first_seen_at,
    heard.last_seen_at,
    heard.reads,
    tag.id as tag_id
from pipeline.unknown_tag as heard
join registry.facility on facility.id = heard.facility_id
join registry.building on building.id = heard.building_id
left join registry.tag on tag.organization_id = heard.organization_id
    and tag.name = heard.tag
    and tag.deleted_at is null
where heard.organization_id = (select app.current_org());

comment on view reporting.unknown_tags is 'One row a facility and tag that was heard unassigned.';
comment on column reporting.unknown_tags.tag_id is
    'Of the registry, where it is known but was not worn by an asset of this facility.';
grant select on reporting.unknown_tags to biotrakr_analyst, biotrakr_app;
