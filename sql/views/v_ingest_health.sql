-- Is everything that is heard being stored, building by building? For operators.
drop view if exists reporting.v_ingest_health;
create view reporting.v_ingest_health with (security_invoker = true) as
select
    organization.id as organization_id,
    organization.code as organization,
    facility.id as facility_id,
    facility.code as facility,
    building.code as building,
    progress.window_end as written_until,
    recent.windows as windows_1h,
    recent.reads as reads_1h,
    recent.late as late_1h,
    recent.duplicates as duplicates_1h,
    recent.lag_p95_s as lag_p95_s_1h,
    (
        select count(*) from pipeline.late_batch as late
        where late.building_id = building.id and late.settled_at is null
    ) as late_batches_waiting,
    (
        select count(*)
        from pipeline.gateway_status as status
        join registry.gateway on gateway.id = status.gateway_id
        where gateway.building_id = building.id and status.state = 'offline'
    ) as gateways_offline
from registry.building
join registry.facility on facility.id = building.facility_id
join registry.organization on organization.id = building.organization_id
left join pipeline.progress on progress.building_id = building.id
left join lateral (
    select
        count(*) as windows,
        sum(written.reads) as reads,
        sum(written.late) as late,
        sum(written.duplicates) as duplicates,
        percentile_cont(0.95) within group (
            order by extract(epoch from written.committed_at - written.window_end)
        ) as lag_p95_s
    from pipeline.window_commit as written
    where written.building_id = building.id
        and written.window_end > now() - interval '1 hour'
        and written.revision = 0
) as recent on true
where building.deleted_at is null;

comment on view reporting.v_ingest_health is
    'Operators only: how far each building is written, and the last hour''s figures.';
grant select on reporting.v_ingest_health to biotrakr_backup;
