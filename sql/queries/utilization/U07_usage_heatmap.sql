-- name: U07 usage_heatmap
-- title: At which hours of which weekdays is equipment in use?
-- audience: N
-- param: from timestamptz = now - 28 days
-- param: to timestamptz = now
-- param: facility text = null
-- param: type text = null
-- param: method text = presence
-- columns: weekday, hour, in_use_h, available_h, unknown_h, in_use_pct
-- notes: One row a weekday (1 is Monday) and hour of the clock on the wall of the facility that owns
--        the asset. in_use_pct is use over use and availability, NULL without either. The hour that
--        summer time repeats holds both, the one it skips nothing.
with piece as materialized (
    select
        asset.facility_id,
        used.asset_id,
        used.state,
        used.opens,
        used.closes,
        floor(used.opens / 3600)::integer as first_hour,
        ceil(used.closes / 3600)::integer - 1 as last_hour
    from (
        select
            told.asset_id,
            told.state,
            date_part('epoch', told.started_at) as opens,
            date_part('epoch', told.ended_at) as closes
        from reporting.usage_pieces(%(from)s::timestamptz, %(to)s::timestamptz) as told
        where told.method = %(method)s::text
    ) as used
    join registry.asset on asset.id = used.asset_id and asset.deleted_at is null
    join registry.facility on facility.id = asset.facility_id
    left join registry.device_model as model on model.id = asset.device_model_id
    left join registry.device_type as type on type.id = model.device_type_id
    where (%(facility)s::text is null or facility.code = %(facility)s::text)
        and (%(type)s::text is null or type.code = %(type)s::text)
),
reached as (
    select
        piece.*,
        -- An asset counts once in an hour, however many pieces it has there.
        greatest(piece.first_hour, 1 + max(piece.last_hour) over (
            partition by piece.asset_id order by piece.first_hour, piece.last_hour
            rows between unbounded preceding and 1 preceding
        )) as new_hour
    from piece
),
-- What each piece changes: seconds in the hours it cuts, and from and to which hour it fills
-- whole ones. So no piece need be cut into all its hours.
tick as (
    select
        reached.facility_id,
        change.hour,
        sum(change.seconds) filter (where reached.state = 'IN_USE') as in_use,
        sum(change.seconds) filter (where reached.state = 'AVAILABLE') as available,
        sum(change.seconds) filter (where reached.state <> 'UNKNOWN') as known,
        sum(change.step) filter (where reached.state = 'IN_USE') as in_use_step,
        sum(change.step) filter (where reached.state = 'AVAILABLE') as available_step,
        sum(change.step) filter (where reached.state <> 'UNKNOWN') as known_step,
        sum(change.asset) as asset_step
    from reached
    cross join lateral (
        values
            (
                reached.first_hour,
                least(reached.closes, (reached.first_hour + 1) * 3600.0::double precision)
                - reached.opens,
                0, 0
            ),
            (
                case when reached.last_hour > reached.first_hour then reached.first_hour + 1 end,
                0, 1, 0
            ),
            (
                case when reached.last_hour > reached.first_hour then reached.last_hour end,
                reached.closes - reached.last_hour * 3600.0::double precision, -1, 0
            ),
            (
                case when reached.new_hour <= reached.last_hour then reached.new_hour end,
                0, 0, 1
            ),
            (
                case when reached.new_hour <= reached.last_hour then reached.last_hour + 1 end,
                0, 0, -1
            )
    ) as change (hour, seconds, step, asset)
    where change.hour is not null
    group by reached.facility_id, change.hour
),
spent as (
    select
        place.facility_id,
        hours.hour,
        coalesce(tick.in_use, 0) + 3600 * sum(tick.in_use_step) over trail as in_use,
        coalesce(tick.available, 0) + 3600 * sum(tick.available_step) over trail as available,
        coalesce(tick.known, 0) + 3600 * sum(tick.known_step) over trail as known,
        sum(tick.asset_step) over trail as assets
    from (
        select tick.facility_id, min(tick.hour) as first, max(tick.hour) as last
        from tick
        group by tick.facility_id
    ) as place
    cross join lateral generate_series(place.first, place.last) as hours (hour)
    left join tick on tick.facility_id = place.facility_id and tick.hour = hours.hour
    window trail as (partition by place.facility_id order by hours.hour)
),
total as (
    select
        extract(isodow from wall.clock)::integer as weekday,
        extract(hour from wall.clock)::integer as hour,
        sum(coalesce(spent.in_use, 0))::numeric as in_use,
        sum(coalesce(spent.available, 0))::numeric as available,
        sum(
            spent.assets * date_part('epoch',
                least(beginning.at + interval '1 hour', %(to)s::timestamptz)
                - greatest(beginning.at, %(from)s::timestamptz)
            ) - coalesce(spent.known, 0)
        )::numeric as unknown
    from spent
    join registry.facility on facility.id = spent.facility_id
    cross join lateral (
        select to_timestamp(spent.hour * 3600.0::double precision) as at
    ) as beginning
    cross join lateral (select beginning.at at time zone facility.time_zone as clock) as wall
    where spent.assets > 0
    group by extract(isodow from wall.clock), extract(hour from wall.clock)
)
select
    total.weekday,
    total.hour,
    round(total.in_use / 3600, 2) as in_use_h,
    round(total.available / 3600, 2) as available_h,
    round(total.unknown / 3600, 2) as unknown_h,
    round(100 * total.in_use / nullif(total.in_use + total.available, 0), 1) as in_use_pct
from total
order by total.weekday, total.hour
