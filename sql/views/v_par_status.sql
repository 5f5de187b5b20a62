-- Does each store hold enough clean, free units, and since when not? One row a level.
--
-- The past of a store is told by presence: how many units of the type had a session in the room and
-- in state AVAILABLE, whatever another building told of them meanwhile. Holds and cleanliness have
-- no history, so `since` is NULL where only these make the shortage.
create function reporting.par_spans(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    par_location_id uuid,
    room_id uuid,
    device_type_id uuid,
    par_min integer,
    par_max integer,
    started_at timestamptz,
    ended_at timestamptz,
    available bigint
)
language sql stable
begin atomic
    with level as (
        select par.* from registry.par_level as par where par.deleted_at is null
    ),
    site as materialized (
        select facility.id, app.facility_clock(facility.id) as clock from registry.facility
    ),
    edge as (
        select level.id, since as at, 0 as step
        from level
        union all
        select level.id, tick.at, tick.step
        from level
        join tracking.usage_session as used on used.room_id = level.room_id
            and used.state = 'AVAILABLE'
            and used.method = 'presence'
            and used.started_at < until
            and coalesce(used.ended_at, 'infinity') > since
        join site on site.id = used.facility_id
        join registry.asset on asset.id = used.asset_id and asset.deleted_at is null
        join registry.device_model as model
            on model.id = asset.device_model_id and model.device_type_id = level.device_type_id
        cross join lateral (
            select
                greatest(used.started_at, since) as opens,
                least(coalesce(used.ended_at, site.clock), until) as closes
        ) as there
        cross join lateral (
            values (there.opens, 1), (there.closes, -1)
        ) as tick (at, step)
        where there.closes > there.opens
    ),
    moment as (
        select edge.id, edge.at, sum(edge.step) as step from edge group by edge.id, edge.at
    ),
    span as (
        select
            moment.id,
            moment.at as started_at,
            lead(moment.at, 1, until) over (partition by moment.id order by moment.at) as ended_at,
            sum(moment.step) over (partition by moment.id order by moment.at) as available
        from moment
    )
    select
        level.organization_id,
        level.facility_id,
        level.id,
        level.room_id,
        level.device_type_id,
        level.par_min,
        level.par_max,
        span.started_at,
        span.ended_at,
        span.available::bigint
    from span
    join level on level.id = span.id
    where span.ended_at > span.started_at;
end;
comment on function reporting.par_spans(timestamptz, timestamptz) is
    'How many units of its type were available in the room of each par level, span by span.';

create function reporting.f_v_par_status(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    par_location_id uuid,
    room text,
    device_type text,
    par_min integer,
    par_max integer,
    available bigint,
    shortage bigint,
    surplus bigint,
    since timestamptz,
    room_id uuid,
    device_type_id uuid
)
language sql stable
begin atomic
    with stock as materialized (
        select now.room_id, now.device_type_id, count(*) as available
        from reporting.f_v_asset_availability(as_of) as now
        where now.is_available
            and now.room_id in (
                select par.room_id from registry.par_level as par where par.deleted_at is null
            )
        group by now.room_id, now.device_type_id
    ),
    past as (
        select
            span.par_location_id,
            max(span.ended_at) filter (where span.available >= span.par_min) as enough_until,
            max(span.ended_at) filter (where span.available <= span.par_max) as fitting_until
        from reporting.par_spans(as_of - interval '7 days', as_of) as span
        group by span.par_location_id
    )
    select
        level.organization_id,
        level.facility_id,
        level.id,
        room.code,
        type.code,
        level.par_min,
        level.par_max,
        coalesce(stock.available, 0),
        greatest(level.par_min - coalesce(stock.available, 0), 0),
        greatest(coalesce(stock.available, 0) - level.par_max, 0),
        case
            when coalesce(stock.available, 0) < level.par_min
                then nullif(coalesce(past.enough_until, as_of - interval '7 days'), as_of)
            when coalesce(stock.available, 0) > level.par_max
                then nullif(coalesce(past.fitting_until, as_of - interval '7 days'), as_of)
        end,
        level.room_id,
        level.device_type_id
    from registry.par_level as level
    join registry.room on room.id = level.room_id
    join registry.device_type as type on type.id = level.device_type_id
    left join stock
        on stock.room_id = level.room_id and stock.device_type_id = level.device_type_id
    left join past on past.par_location_id = level.id
    where level.deleted_at is null;
end;
create view reporting.v_par_status with (security_invoker = true) as
select * from reporting.f_v_par_status(now());

comment on function reporting.f_v_par_status(timestamptz) is
    'reporting.v_par_status at a time, as far as reporting.f_v_asset_availability knows the past.';
comment on view reporting.v_par_status is
    'Clean and free units in each store now, against its minimum and maximum.';
comment on column reporting.v_par_status.since is
    'When the shortage or surplus began; 7 days ago: or earlier; NULL: neither, or only because '
    'units are held or not clean.';
grant execute on function
    reporting.par_spans(timestamptz, timestamptz),
    reporting.f_v_par_status(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_par_status to biotrakr_analyst, biotrakr_app;
