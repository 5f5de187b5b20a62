-- What failed, when, and how long until it worked again? One row a failure: a corrective work order
-- whose failure was confirmed. What could not be duplicated and a user's error are none.
create view reporting.failures with (security_invoker = true) as
select
    work.organization_id,
    asset.facility_id,
    work.id as wo_id,
    work.number,
    work.asset_id,
    coalesce(work.failed_at, work.reported_at) as failed_at,
    work.restored_at,
    work.failure_category,
    extract(epoch from work.restored_at - work.failed_at) / 3600 as restore_h,
    case when work.restored_at is not null then coalesce(
        nullif(work.labor_hours, 0),
        extract(epoch from work.restored_at - work.work_started_at) / 3600
    ) end as repair_h,
    work.technician_id,
    work.vendor_id,
    work.department_id,
    asset.tag_number as asset_tag,
    asset.category
from maintenance.work_order as work
join registry.asset on asset.id = work.asset_id and asset.deleted_at is null
where work.failure_confirmed
    and work.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
    and work.status <> 'CANCELLED'
    and coalesce(work.outcome, '') not in ('NO_FAULT_FOUND', 'USER_ERROR')
    and coalesce(work.failure_category, '') <> 'USER_ERROR'
    and work.deleted_at is null;

comment on view reporting.failures is 'One row a confirmed failure of an asset.';
comment on column reporting.failures.failed_at is 'When it stopped; when it was reported, else.';
comment on column reporting.failures.restore_h is
    'Hours from the failure to the restoration; NULL: either is not recorded.';
comment on column reporting.failures.repair_h is
    'Hands-on hours: booked labour, else from the start of work to the restoration.';
grant select on reporting.failures to biotrakr_analyst, biotrakr_app;
