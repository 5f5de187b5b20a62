-- What did devices report of their own use? Always give a range of ts.
-- Runs as the owner behind a barrier, as reporting.location_history.
drop view if exists reporting.usage_log;
create view reporting.usage_log with (security_barrier = true) as
select
    report.organization_id,
    report.asset_id,
    report.ts,
    report.running,
    report.hours_total,
    report.cycles_total
from telemetry.usage_log as report
where report.organization_id = (select app.current_org())
    and report.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or report.asset_id in (select asset.id from registry.asset)
    );

comment on view reporting.usage_log is 'What devices reported of their own use; filter by ts.';
comment on column reporting.usage_log.hours_total is 'Operating hours since new; a counter.';
grant select on reporting.usage_log to biotrakr_analyst, biotrakr_app;
