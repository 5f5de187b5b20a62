-- In which state was each asset, hour by hour, by each kind of evidence?
--
-- The state of a moment, where sessions of one method contradict each other (an asset on its way
-- between two buildings is followed in both): MAINTENANCE > IN_USE > CLEANING > AVAILABLE > UNKNOWN.
-- What no session tells is unknown, never idle. Methods stay apart.
--
-- An open session counts up to the newest window written for its facility, and no further.
create function reporting.usage_pieces(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    time_zone text,
    asset_id uuid,
    room_id uuid,
    method text,
    state text,
    started_at timestamptz,
    ended_at timestamptz
)
language sql stable
begin atomic
    with site as materialized (
        select facility.id, facility.time_zone, app.facility_clock(facility.id) as clock
        from registry.facility
    )
    select
        used.organization_id,
        used.facility_id,
        site.time_zone,
        used.asset_id,
        used.room_id,
        used.method,
        used.state,
        greatest(used.started_at, since),
        least(coalesce(used.ended_at, site.clock), until)
    from tracking.usage_session as used
    join site on site.id = used.facility_id
    where used.started_at < until
        and (used.ended_at > since or used.ended_at is null)
        and least(coalesce(used.ended_at, site.clock), until) > greatest(used.started_at, since);
end;
comment on function reporting.usage_pieces(timestamptz, timestamptz) is
    'Usage sessions as far as they lie in [since, until); those of one method may overlap.';

create function reporting.asset_state_hours(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    hour timestamptz,
    in_use_min numeric,
    available_min numeric,
    cleaning_min numeric,
    maintenance_min numeric,
    unknown_min numeric,
    method text
)
language sql stable
begin atomic
    with state as (
        select
            piece.organization_id,
            piece.asset_id,
            piece.method,
            hours.hour,
            least(hours.hour + interval '1 hour', until) - greatest(hours.hour, since) as length,
            coalesce(range_agg(span.during) filter (where piece.state = 'MAINTENANCE'), '{}') as m,
            coalesce(range_agg(span.during) filter (where piece.state = 'IN_USE'), '{}') as u,
            coalesce(range_agg(span.during) filter (where piece.state = 'CLEANING'), '{}') as c,
            coalesce(range_agg(span.during) filter (where piece.state = 'AVAILABLE'), '{}') as a
        from reporting.usage_pieces(since, until) as piece
        cross join lateral generate_series(
            date_trunc('hour', piece.started_at, 'UTC'), piece.ended_at, interval '1 hour'
        ) as hours (hour)
        cross join lateral (
            select tstzrange(
                greatest(piece.started_at, hours.hour),
                least(piece.ended_at, hours.hour + interval '1 hour')
            ) as during
        ) as span
        where piece.ended_at > hours.hour
        group by piece.organization_id, piece.asset_id, piece.method, hours.hour
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
        asset.facility_id,
        minutes.asset_id,
        minutes.hour,
        minutes.u_min,
        minutes.a_min,
        minutes.c_min,
        minutes.m_min,
        round(extract(epoch from minutes.length) / 60, 3)
        - minutes.u_min - minutes.a_min - minutes.c_min - minutes.m_min,
        minutes.method
    from minutes
    join registry.asset on asset.id = minutes.asset_id and asset.deleted_at is null;
end;
comment on function reporting.asset_state_hours(timestamptz, timestamptz) is
    'reporting.v_asset_state_hourly over any range of time; cut hours count what is inside.';

create function reporting.f_v_asset_state_hourly(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    hour timestamptz,
    in_use_min numeric,
    available_min numeric,
    cleaning_min numeric,
    maintenance_min numeric,
    unknown_min numeric,
    method text
)
language sql stable
begin atomic
    select * from reporting.asset_state_hours(
        date_trunc('hour', as_of, 'UTC') - interval '7 days', as_of
    );
end;
comment on function reporting.f_v_asset_state_hourly(timestamptz) is
    'reporting.v_asset_state_hourly up to a time.';

create view reporting.v_asset_state_hourly with (security_invoker = true) as
select * from reporting.f_v_asset_state_hourly(now());
comment on view reporting.v_asset_state_hourly is
    'Minutes per state by asset, UTC hour and method, of the last 7 days; longer: '
    'reporting.asset_state_hours(since, until). Do not add up methods.';
comment on column reporting.v_asset_state_hourly.facility_id is 'Whose it is.';
comment on column reporting.v_asset_state_hourly.hour is 'Its start. No session, no row.';
comment on column reporting.v_asset_state_hourly.unknown_min is
    'What no session tells, and what is told to be unknown; the last hour ends now.';
grant execute on function
    reporting.usage_pieces(timestamptz, timestamptz),
    reporting.asset_state_hours(timestamptz, timestamptz),
    reporting.f_v_asset_state_hourly(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_asset_state_hourly to biotrakr_analyst, biotrakr_app;
