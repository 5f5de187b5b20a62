-- How was each asset used on each day of its facility's calendar, by each kind of evidence?
--
-- An open session counts up to the newest window written for its facility. Time without a session,
-- and time in state UNKNOWN, is never taken for idle: it is in no ratio. Methods are rows of their
-- own and must not be averaged together.
drop view if exists reporting.utilization_daily;
create view reporting.utilization_daily with (security_invoker = true) as
with facility as materialized (
    select id, organization_id, code, time_zone, app.facility_clock(id) as clock
    from registry.facility
),
session as (
    select
        used.organization_id,
        used.facility_id,
        used.asset_id,
        used.method,
        used.state,
        used.started_at,
        coalesce(used.ended_at, greatest(facility.clock, used.started_at)) as ended_at,
        facility.code as facility_code,
        facility.time_zone
    from tracking.usage_session as used
    join facility on facility.id = used.facility_id
),
piece as (
    select
        session.*,
        days.day::date as day,
        extract(epoch from
            least(session.ended_at, (days.day + interval '1 day') at time zone session.time_zone)
            - greatest(session.started_at, days.day at time zone session.time_zone)
        ) as seconds
    from session
    -- Local midnights, so that a day may have 23 or 25 hours.
    cross join lateral generate_series(
        date_trunc('day', session.started_at at time zone session.time_zone),
        session.ended_at at time zone session.time_zone,
        interval '1 day'
    ) as days (day)
),
total as (
    select
        organization_id,
        facility_id,
        facility_code,
        asset_id,
        day,
        method,
        coalesce(sum(seconds) filter (where state = 'MAINTENANCE'), 0) as maintenance_s,
        coalesce(sum(seconds) filter (where state = 'IN_USE'), 0) as in_use_s,
        coalesce(sum(seconds) filter (where state = 'CLEANING'), 0) as cleaning_s,
        coalesce(sum(seconds) filter (where state = 'AVAILABLE'), 0) as available_s,
        coalesce(sum(seconds) filter (where state = 'UNKNOWN'), 0) as unknown_s
    from piece
    where seconds > 0
    group by organization_id, facility_id, facility_code, asset_id, day, method
)
select
    total.organization_id,
    total.facility_id,
    total.facility_code,
    total.asset_id,
    asset.tag_number,
    asset.name as asset_name,
    asset.category,
    total.day,
    total.method,
    total.maintenance_s,
    total.in_use_s,
    total.cleaning_s,
    total.available_s,
    total.unknown_s,
    total.in_use_s / nullif(total.in_use_s + total.available_s, 0) as utilization
from total
join registry.asset on asset.id = total.asset_id and asset.deleted_at is null;

comment on view reporting.utilization_daily is
    'Seconds per state by asset, local day and method; do not average over methods.';
comment on column reporting.utilization_daily.day is 'A day in the facility''s time zone.';
comment on column reporting.utilization_daily.method is
    'The evidence: telemetry, checkout, presence or motion.';
comment on column reporting.utilization_daily.unknown_s is 'Not heard; neither used nor idle.';
comment on column reporting.utilization_daily.utilization is
    'in_use_s / (in_use_s + available_s); maintenance, cleaning and unknown are left out; NULL '
    'when neither state was seen.';
grant select on reporting.utilization_daily to biotrakr_analyst, biotrakr_app;
