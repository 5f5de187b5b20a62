-- name: O15 data_freshness
-- title: How old is what each report is made of?
-- audience: O
-- param: as_of timestamptz = now
-- columns: source, newest_at, age_h, rows, note
-- notes: One row a source. newest_at is the newest row up to as_of, looked for in the last 30 days
--        for time series (NULL: none); rows is given where counting is cheap.
with source (source, newest_at, rows, note) as (
    select
        'positions',
        (
            select max(history.ts)
            from reporting.location_history as history
            where history.ts > %(as_of)s::timestamptz - interval '30 days'
                and history.ts <= %(as_of)s::timestamptz
        ),
        null::bigint,
        'live, every window'
    union all
    select 'current places', max(place.ts), count(*), 'live, every window'
    from tracking.asset_location_current as place
    union all
    select
        'sensor readings',
        (
            select max(reading.ts)
            from reporting.sensor_reading as reading
            where reading.ts > %(as_of)s::timestamptz - interval '30 days'
                and reading.ts <= %(as_of)s::timestamptz
        ),
        null,
        'as devices and tags report'
    union all
    select
        'device usage',
        (
            select max(report.ts)
            from reporting.usage_log as report
            where report.ts > %(as_of)s::timestamptz - interval '30 days'
                and report.ts <= %(as_of)s::timestamptz
        ),
        null,
        'as devices report'
    union all
    select
        'usage sessions',
        (
            select max(app.facility_clock(facility.id))
            from registry.facility
        ),
        null,
        'the newest window of any facility'
    union all
    select 'risk scores', max(risk.scored_at), count(*), 'by the prediction job'
    from prediction.risk_current as risk
    where risk.deleted_at is null
    union all
    select 'model drift', max(drift.measured_at), count(*), 'by the prediction job'
    from prediction.drift
    where drift.deleted_at is null
    union all
    select 'prediction outcomes', max(outcome.settled_at), count(*), 'when a horizon is over'
    from prediction.outcome
    where outcome.deleted_at is null
    union all
    select 'asset metrics', max(metric.computed_at), count(*), 'by the metrics job'
    from registry.asset_metric as metric
    where metric.deleted_at is null
    union all
    select 'external systems', max(sync.last_synced_at), count(*), 'by synchronisation'
    from registry.external_sync as sync
    where sync.deleted_at is null
)
select
    source.source,
    source.newest_at,
    round(extract(epoch from %(as_of)s::timestamptz - source.newest_at) / 3600, 2) as age_h,
    source.rows,
    source.note
from source
order by age_h desc nulls first, source.source
