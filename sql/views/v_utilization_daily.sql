-- How much was each kind of equipment used, on each day of its facility's calendar, by each kind of
-- evidence? And how many of it at once: the mean says what was used, the peak what was needed.
--
-- States of one moment are resolved as in reporting.v_asset_state_hourly. Utilization is use over use
-- and availability: what is unknown, being cleaned or repaired is neither, and without either it is
-- NULL. Methods are rows of their own and must not be averaged together.
create function reporting.usage_day_pieces(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    device_type_id uuid,
    room_id uuid,
    method text,
    state text,
    date date,
    started_at timestamptz,
    ended_at timestamptz,
    day_seconds double precision
)
language sql stable parallel safe
begin atomic
    with piece as materialized (
        select * from reporting.usage_pieces(since, until)
    ),
    -- Local midnights, so that a day may have 23 or 25 hours; days counted from 2000-01-01.
    reach as (
        select
            facility.id as facility_id,
            facility.time_zone,
            (whole.first at time zone facility.time_zone)::date as first,
            (whole.last at time zone facility.time_zone)::date as last
        from registry.facility
        cross join (
            select min(piece.started_at) as first, max(piece.ended_at) as last from piece
        ) as whole
    ),
    day as materialized (
        select
            bounds.*,
            date_part('epoch', least(bounds.closes, until) - greatest(bounds.opens, since))
                as seconds
        from reach
        cross join lateral generate_series(
            reach.first - date '2000-01-01', reach.last - date '2000-01-01'
        ) as days (number)
        cross join lateral (
            select
                reach.facility_id,
                days.number,
                date '2000-01-01' + days.number as date,
                (date '2000-01-01' + days.number)::timestamp at time zone reach.time_zone as opens,
                (date '2000-01-01' + days.number + 1)::timestamp at time zone reach.time_zone
                    as closes
        ) as bounds
    ),
    cut as (
        select
            piece.*,
            generate_series(
                (piece.started_at at time zone piece.time_zone)::date - date '2000-01-01',
                (piece.ended_at at time zone piece.time_zone)::date - date '2000-01-01'
            ) as number
        from piece
    )
    select
        cut.organization_id,
        cut.facility_id,
        cut.asset_id,
        model.device_type_id,
        cut.room_id,
        cut.method,
        cut.state,
        day.date,
        greatest(cut.started_at, day.opens),
        least(cut.ended_at, day.closes),
        day.seconds
    from cut
    join day on day.facility_id = cut.facility_id and day.number = cut.number
        and cut.ended_at > day.opens
    join registry.asset on asset.id = cut.asset_id and asset.deleted_at is null
    left join registry.device_model as model on model.id = asset.device_model_id;
end;
comment on function reporting.usage_day_pieces(timestamptz, timestamptz) is
    'reporting.usage_pieces cut at local midnights; day_seconds: how long the day is, as far as it '
    'lies in [since, until).';

create function reporting.usage_day_totals(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    device_type_id uuid,
    date date,
    method text,
    in_use_min numeric,
    available_min numeric,
    cleaning_min numeric,
    maintenance_min numeric,
    unknown_min numeric,
    uses tstzrange[]
)
language sql stable parallel safe
begin atomic
    with total as (
        select
            any_value(piece.organization_id) as organization_id,
            piece.facility_id,
            piece.asset_id,
            any_value(piece.device_type_id) as device_type_id,
            piece.date,
            piece.method,
            max(piece.day_seconds) as day_seconds,
            array_agg(tstzrange(piece.started_at, piece.ended_at))
                filter (where piece.state = 'IN_USE') as uses,
            coalesce(sum(spent.s) filter (where piece.state = 'IN_USE'), 0) as u,
            coalesce(sum(spent.s) filter (where piece.state = 'AVAILABLE'), 0) as a,
            coalesce(sum(spent.s) filter (where piece.state = 'CLEANING'), 0) as c,
            coalesce(sum(spent.s) filter (where piece.state = 'MAINTENANCE'), 0) as m,
            max(piece.ended_at) filter (where piece.state <> 'UNKNOWN') as known_to
        from reporting.usage_day_pieces(since, until) as piece
        cross join lateral (
            select date_part('epoch', piece.ended_at - piece.started_at) as s
        ) as spent
        group by piece.asset_id, piece.method, piece.date, piece.facility_id
    ),
    placed as (
        select
            total.*,
            sum(total.u + total.a + total.c + total.m) over everywhere as known,
            row_number() over (everywhere order by total.known_to desc nulls last) as place
        from total
        window everywhere as (partition by total.asset_id, total.method, total.date)
    ),
    rest as (
        select
            placed.*,
            -- An asset that changed facilities is unknown once, where it was last.
            case when placed.place = 1 then greatest(placed.day_seconds - placed.known, 0) else 0
            end as unknown
        from placed
    )
    select
        rest.organization_id,
        rest.facility_id,
        rest.asset_id,
        rest.device_type_id,
        rest.date,
        rest.method,
        round((rest.u / 60)::numeric, 3),
        round((rest.a / 60)::numeric, 3),
        round((rest.c / 60)::numeric, 3),
        round((rest.m / 60)::numeric, 3),
        round((rest.unknown / 60)::numeric, 3),
        rest.uses
    from rest
    where rest.u + rest.a + rest.c + rest.m + rest.unknown > 0;
end;
comment on function reporting.usage_day_totals(timestamptz, timestamptz) is
    'reporting.usage_days, and when it was in use.';

create function reporting.usage_days(since timestamptz, until timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    device_type_id uuid,
    date date,
    method text,
    in_use_min numeric,
    available_min numeric,
    cleaning_min numeric,
    maintenance_min numeric,
    unknown_min numeric
)
language sql stable parallel safe
begin atomic
    select
        total.organization_id, total.facility_id, total.asset_id, total.device_type_id, total.date,
        total.method, total.in_use_min, total.available_min, total.cleaning_min,
        total.maintenance_min, total.unknown_min
    from reporting.usage_day_totals(since, until) as total;
end;
comment on function reporting.usage_days(timestamptz, timestamptz) is
    'Minutes per state by asset, facility, local day and method in [since, until).';

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
language sql stable parallel safe
begin atomic
    with used as materialized (
        select * from reporting.usage_day_totals(since, until)
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
    running as (
        select
            used.facility_id,
            used.date,
            used.device_type_id,
            used.method,
            -- What ends at a moment has ended before what begins then.
            sum(tick.step) over (
                partition by used.facility_id, used.date, used.device_type_id, used.method
                order by tick.at, tick.step
            ) as concurrent
        from used
        cross join lateral unnest(used.uses) as span
        cross join lateral (values (lower(span), 1), (upper(span), -1)) as tick (at, step)
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
        and coalesce(peak.device_type_id, peak.facility_id)
        = coalesce(total.device_type_id, total.facility_id)
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
language sql stable parallel safe
begin atomic
    with piece as materialized (
        select
            used.organization_id, used.facility_id, model.device_type_id, used.method, used.state,
            used.started_at, used.ended_at
        from reporting.usage_pieces(since, until) as used
        join registry.asset on asset.id = used.asset_id and asset.deleted_at is null
        left join registry.device_model as model on model.id = asset.device_model_id
    ),
    edge as (
        select
            piece.organization_id, piece.facility_id, piece.device_type_id, piece.method,
            tick.at, tick.step
        from piece
        cross join lateral (
            values (piece.started_at, 1), (piece.ended_at, -1)
        ) as tick (at, step)
        where piece.state = 'IN_USE'
        union all
        -- Nothing in use at the two ends, so that time without use is level 0.
        select
            kind.organization_id, kind.facility_id, kind.device_type_id, kind.method, tick.at, 0
        from (
            select distinct
                piece.organization_id, piece.facility_id, piece.device_type_id, piece.method
            from piece
        ) as kind
        cross join lateral (values (since), (until)) as tick (at)
    ),
    moment as (
        select
            edge.organization_id, edge.facility_id, edge.device_type_id, edge.method, edge.at,
            sum(edge.step) as step
        from edge
        group by
            edge.organization_id, edge.facility_id, edge.device_type_id, edge.method, edge.at
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
    reporting.usage_day_pieces(timestamptz, timestamptz),
    reporting.usage_day_totals(timestamptz, timestamptz),
    reporting.usage_days(timestamptz, timestamptz),
    reporting.utilization_days(timestamptz, timestamptz),
    reporting.concurrency(timestamptz, timestamptz),
    reporting.f_v_utilization_daily(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_utilization_daily to biotrakr_analyst, biotrakr_app;
