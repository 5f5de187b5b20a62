-- How much was each kind of equipment used, on each day of its facility's calendar, by each kind of
-- evidence? And how many of it at once: the mean says what was used, the peak what was needed.
--
-- States of one moment are resolved as in reporting.v_asset_state_hourly. Utilization is use over use
-- and availability: what is unknown, being cleaned or repaired is neither, and without either it is
-- NULL. Methods are rows of their own and must not be averaged together.
create function reporting.usage_days(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    device_type_id uuid,
    date date,
    method text,
    in_use tstzmultirange,
    in_use_min numeric,
    available_min numeric,
    cleaning_min numeric,
    maintenance_min numeric,
    unknown_min numeric
)
language sql stable
begin atomic
    with state as (
        select
            piece.organization_id,
            piece.facility_id,
            piece.asset_id,
            piece.method,
            local.day::date as date,
            day.upto - day.since as length,
            coalesce(range_agg(span.during) filter (where piece.state = 'MAINTENANCE'), '{}') as m,
            coalesce(range_agg(span.during) filter (where piece.state = 'IN_USE'), '{}') as u,
            coalesce(range_agg(span.during) filter (where piece.state = 'CLEANING'), '{}') as c,
            coalesce(range_agg(span.during) filter (where piece.state = 'AVAILABLE'), '{}') as a
        from reporting.usage_pieces(since, until) as piece
        -- Local midnights, so that a day may have 23 or 25 hours.
        cross join lateral generate_series(
            date_trunc('day', piece.started_at at time zone piece.time_zone),
            piece.ended_at at time zone piece.time_zone,
            interval '1 day'
        ) as local (day)
        cross join lateral (
            select
                greatest(local.day at time zone piece.time_zone, since) as since,
                least((local.day + interval '1 day') at time zone piece.time_zone, until) as upto
        ) as day
        cross join lateral (
            select tstzrange(
                least(greatest(piece.started_at, day.since), day.upto),
                greatest(least(piece.ended_at, day.upto), day.since)
            ) as during
        ) as span
        where not isempty(span.during)
        group by
            piece.organization_id, piece.facility_id, piece.asset_id, piece.method, local.day,
            day.since, day.upto
    ),
    minutes as (
        select
            state.*,
            app.minutes(state.m) as m_min,
            app.minutes(state.u - state.m) as u_min,
            app.minutes(state.c - state.u - state.m) as c_min,
            app.minutes(state.a - state.c - state.u - state.m) as a_min
        from state
    )
    select
        minutes.organization_id,
        minutes.facility_id,
        minutes.asset_id,
        model.device_type_id,
        minutes.date,
        minutes.method,
        minutes.u - minutes.m,
        minutes.u_min,
        minutes.a_min,
        minutes.c_min,
        minutes.m_min,
        round(extract(epoch from minutes.length) / 60, 3)
        - minutes.u_min - minutes.a_min - minutes.c_min - minutes.m_min
    from minutes
    join registry.asset on asset.id = minutes.asset_id and asset.deleted_at is null
    left join registry.device_model as model on model.id = asset.device_model_id;
end;
comment on function reporting.usage_days(timestamptz, timestamptz) is
    'Minutes per state by asset, local day and method in [since, until); in_use: when exactly.';

create function reporting.utilization_days(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    date date,
    facility text,
    device_type text,
    assets bigint,
    in_use_h numeric,
    available_h numeric,
    unknown_h numeric,
    utilization_pct numeric,
    peak_concurrent bigint,
    method text,
    cleaning_h numeric,
    maintenance_h numeric,
    device_type_id uuid
)
language sql stable
begin atomic
    with used as materialized (
        select * from reporting.usage_days(since, until)
    ),
    total as (
        select
            used.organization_id,
            used.facility_id,
            used.date,
            used.device_type_id,
            used.method,
            count(*) as assets,
            sum(used.in_use_min) as in_use,
            sum(used.available_min) as available,
            sum(used.unknown_min) as unknown,
            sum(used.cleaning_min) as cleaning,
            sum(used.maintenance_min) as maintenance
        from used
        group by
            used.organization_id, used.facility_id, used.date, used.device_type_id, used.method
    ),
    edge as (
        select
            used.facility_id, used.date, used.device_type_id, used.method, tick.at, tick.step
        from used
        cross join lateral unnest(used.in_use) as span
        cross join lateral (values (lower(span), 1), (upper(span), -1)) as tick (at, step)
    ),
    running as (
        select
            edge.*,
            -- What ends at a moment has ended before what begins then.
            sum(edge.step) over (
                partition by edge.facility_id, edge.date, edge.device_type_id, edge.method
                order by edge.at, edge.step
            ) as concurrent
        from edge
    ),
    peak as (
        select
            running.facility_id, running.date, running.device_type_id, running.method,
            max(running.concurrent) as concurrent
        from running
        group by running.facility_id, running.date, running.device_type_id, running.method
    )
    select
        total.organization_id,
        total.facility_id,
        total.date,
        facility.code,
        type.code,
        total.assets,
        round(total.in_use / 60, 2),
        round(total.available / 60, 2),
        round(total.unknown / 60, 2),
        round(100 * total.in_use / nullif(total.in_use + total.available, 0), 1),
        coalesce(peak.concurrent, 0),
        total.method,
        round(total.cleaning / 60, 2),
        round(total.maintenance / 60, 2),
        total.device_type_id
    from total
    join registry.facility on facility.id = total.facility_id
    left join registry.device_type as type on type.id = total.device_type_id
    left join peak
        on peak.facility_id = total.facility_id
        and peak.date = total.date
        and peak.device_type_id is not distinct from total.device_type_id
        and peak.method = total.method;
end;
comment on function reporting.utilization_days(timestamptz, timestamptz) is
    'reporting.v_utilization_daily over any range of time; cut days count what is inside.';

create function reporting.concurrency(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    device_type_id uuid,
    method text,
    level bigint,
    seconds numeric,
    share_up_to numeric
)
language sql stable
begin atomic
    with moment as (
        select
            used.organization_id, used.facility_id, used.device_type_id, used.method, tick.at,
            sum(tick.step) as step
        from reporting.usage_days(since, until) as used
        -- Nothing in use at the two ends, so that time without use is level 0.
        cross join lateral (
            select lower(span) as at, 1 as step from unnest(used.in_use) as span
            union all
            select upper(span), -1 from unnest(used.in_use) as span
            union all
            select since, 0
            union all
            select until, 0
        ) as tick
        group by
            used.organization_id, used.facility_id, used.device_type_id, used.method, tick.at
    ),
    span as (
        select
            moment.organization_id,
            moment.facility_id,
            moment.device_type_id,
            moment.method,
            sum(moment.step) over series as level,
            extract(epoch from lead(moment.at) over series - moment.at) as seconds
        from moment
        window series as (
            partition by moment.facility_id, moment.device_type_id, moment.method
            order by moment.at
        )
    ),
    spent as (
        select
            span.organization_id, span.facility_id, span.device_type_id, span.method, span.level,
            sum(span.seconds) as seconds
        from span
        where span.seconds > 0
        group by
            span.organization_id, span.facility_id, span.device_type_id, span.method, span.level
    )
    select
        spent.organization_id,
        spent.facility_id,
        spent.device_type_id,
        spent.method,
        spent.level::bigint,
        spent.seconds,
        sum(spent.seconds) over up / nullif(sum(spent.seconds) over everything, 0)
    from spent
    window
        everything as (partition by spent.facility_id, spent.device_type_id, spent.method),
        up as (everything order by spent.level);
end;
comment on function reporting.concurrency(timestamptz, timestamptz) is
    'For how long how many units of a type were in use at once, by method; share_up_to: the share '
    'of the time with so many or fewer.';

create function reporting.f_v_utilization_daily(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    date date,
    facility text,
    device_type text,
    assets bigint,
    in_use_h numeric,
    available_h numeric,
    unknown_h numeric,
    utilization_pct numeric,
    peak_concurrent bigint,
    method text,
    cleaning_h numeric,
    maintenance_h numeric,
    device_type_id uuid
)
language sql stable
begin atomic
    select * from reporting.utilization_days(as_of - interval '30 days', as_of);
end;
comment on function reporting.f_v_utilization_daily(timestamptz) is
    'reporting.v_utilization_daily up to a time.';

create view reporting.v_utilization_daily with (security_invoker = true) as
select * from reporting.f_v_utilization_daily(now());
comment on view reporting.v_utilization_daily is
    'Use by facility, local day, device type and method over the last 30 days; longer: '
    'reporting.utilization_days(since, until). Do not average over methods.';
comment on column reporting.v_utilization_daily.date is
    'A day in the facility''s time zone; the first and the last are cut.';
comment on column reporting.v_utilization_daily.assets is 'With a session that day.';
comment on column reporting.v_utilization_daily.unknown_h is
    'Not seen, or told by no session; neither used nor idle.';
comment on column reporting.v_utilization_daily.utilization_pct is
    'in_use_h over in_use_h and available_h; NULL without either.';
comment on column reporting.v_utilization_daily.device_type is 'NULL: its model names none.';
grant execute on function
    reporting.usage_days(timestamptz, timestamptz),
    reporting.utilization_days(timestamptz, timestamptz),
    reporting.concurrency(timestamptz, timestamptz),
    reporting.f_v_utilization_daily(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_utilization_daily to biotrakr_analyst, biotrakr_app;
