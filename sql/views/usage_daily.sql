-- What did devices report of their use by day? Always give a range of day.
-- Runs as the owner behind a barrier, as reporting.location_history.
drop view if exists reporting.usage_daily;
create view reporting.usage_daily with (security_barrier = true) as
select
    summary.organization_id,
    summary.asset_id,
    summary.day,
    summary.reports,
    summary.running_reports,
    summary.hours_max - summary.hours_min as hours_run,
    summary.hours_max,
    summary.cycles_max - summary.cycles_min as cycles_run,
    summary.cycles_max,
    summary.first_at,
    summary.last_at
from telemetry.usage_daily as summary
where summary.organization_id = (select app.current_org())
    and summary.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or summary.asset_id in (select asset.id from registry.asset)
    );

comment on view reporting.usage_daily is 'What devices reported of their use by UTC day; filter by day.';
comment on column reporting.usage_daily.day is 'Its start, UTC.';
comment on column reporting.usage_daily.hours_run is
    'Between its first and its last report, by the counter.';
comment on column reporting.usage_daily.hours_max is 'The counter at its last report.';
grant select on reporting.usage_daily to biotrakr_analyst, biotrakr_app;
