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
language sql stable parallel safe
begin atomic
    with site as materialized (
        select facility.id, facility.time_zone, app.facility_clock(facility.id) as clock
        from registry.facility
    ),
    piece as materialized (
        select
            used.id,
            used.organization_id,
            used.facility_id,
            site.time_zone,
            used.asset_id,
            used.room_id,
            used.method,
            used.state,
            greatest(used.started_at, since) as started_at,
            least(coalesce(used.ended_at, site.clock), until) as ended_at
        from tracking.usage_session as used
        join site on site.id = used.facility_id
        where used.started_at < until
            and coalesce(used.ended_at, 'infinity') > since
            and least(coalesce(used.ended_at, site.clock), until) > greatest(used.started_at, since)
    ),
    told as (
        select
            piece.asset_id,
            piece.method,
            piece.started_at,
            lag(piece.ended_at) over (
                partition by piece.asset_id, piece.method order by piece.started_at
            ) as previous_end
        from piece
        where piece.state <> 'UNKNOWN'
    ),
    -- Where any two overlap, one also overlaps the one that begins next.
    clash as materialized (
        select distinct told.asset_id, told.method
        from told
        where told.previous_end > told.started_at
    ),
    -- Few: of each piece, what no stronger one covers.
    contradictory as materialized (
        select
            piece.*,
            case piece.state
                when 'MAINTENANCE' then 1 when 'IN_USE' then 2 when 'CLEANING' then 3 else 4
            end as rank
        from clash
        join piece on piece.asset_id = clash.asset_id and piece.method = clash.method
        where piece.state <> 'UNKNOWN'
    )
    select
        piece.organization_id, piece.facility_id, piece.time_zone, piece.asset_id, piece.room_id,
        piece.method, piece.state, piece.started_at, piece.ended_at
    from piece
    where piece.state = 'UNKNOWN'
        or (piece.asset_id, piece.method) not in (
            select clash.asset_id, clash.method from clash
        )
    union all
    select
        weak.organization_id, weak.facility_id, weak.time_zone, weak.asset_id, weak.room_id,
        weak.method, weak.state, lower(rest.span), upper(rest.span)
    from contradictory as weak
    cross join lateral (
        select
            tstzmultirange(tstzrange(weak.started_at, weak.ended_at))
            - coalesce(range_agg(tstzrange(strong.started_at, strong.ended_at)), '{}') as spans
        from contradictory as strong
        where strong.asset_id = weak.asset_id
            and strong.method = weak.method
            and strong.started_at < weak.ended_at
            and strong.ended_at > weak.started_at
            and (strong.rank, strong.started_at, strong.id) < (weak.rank, weak.started_at, weak.id)
    ) as told_better
    cross join lateral unnest(told_better.spans) as rest (span);
end;
comment on function reporting.usage_pieces(timestamptz, timestamptz) is
    'Usage sessions as far as they lie in [since, until). Of one asset and method no moment is in '
    'two known states; UNKNOWN pieces are as told and may lie under known ones.';

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
language sql stable parallel safe
begin atomic
    with cut as (
        select
            piece.organization_id,
            piece.asset_id,
            piece.method,
            piece.state,
            date_part('epoch', piece.started_at) as opens,
            date_part('epoch', piece.ended_at) as closes,
            generate_series(
                floor(date_part('epoch', piece.started_at) / 3600)::integer,
                ceil(date_part('epoch', piece.ended_at) / 3600)::integer - 1
            ) as hour
        from reporting.usage_pieces(since, until) as piece
        -- Before the cutting, when they are few.
        order by piece.asset_id, piece.method
    ),
    spent as (
        select
            cut.organization_id,
            cut.asset_id,
            cut.method,
            cut.hour,
            cut.state,
            least(cut.closes, cut.hour * 3600.0::double precision + 3600)
            - greatest(cut.opens, cut.hour * 3600.0::double precision) as seconds
        from cut
    ),
    total as (
        select
            any_value(spent.organization_id) as organization_id,
            spent.asset_id,
            spent.method,
            spent.hour,
            coalesce(sum(spent.seconds) filter (where spent.state = 'IN_USE'), 0) as u,
            coalesce(sum(spent.seconds) filter (where spent.state = 'AVAILABLE'), 0) as a,
            coalesce(sum(spent.seconds) filter (where spent.state = 'CLEANING'), 0) as c,
            coalesce(sum(spent.seconds) filter (where spent.state = 'MAINTENANCE'), 0) as m
        from spent
        group by spent.asset_id, spent.method, spent.hour
    )
    select
        total.organization_id,
        asset.facility_id,
        total.asset_id,
        to_timestamp(total.hour * 3600),
        round((total.u / 60)::numeric, 3),
        round((total.a / 60)::numeric, 3),
        round((total.c / 60)::numeric, 3),
        round((total.m / 60)::numeric, 3),
        round(((
            date_part('epoch',
                least(to_timestamp(total.hour * 3600 + 3600), until)
                - greatest(to_timestamp(total.hour * 3600), since)
            ) - total.u - total.a - total.c - total.m
        ) / 60)::numeric, 3),
        total.method
    from total
    join registry.asset on asset.id = total.asset_id and asset.deleted_at is null;
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
