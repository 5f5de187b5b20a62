-- name: F14 rental_spend
-- title: What did rented equipment cost, and how much of it while own units stood idle?
-- audience: C
-- param: from date = today - 90 days
-- param: to date = today
-- columns: facility, device_type, vendor, currency, unit_days, cost, own_units,
--          avoidable_unit_days, avoidable_cost, days_unknown
-- notes: One row a facility, device type, vendor and currency, of rentals on days from .. to (the
--        last day counts). A unit-day was avoidable when an own unit of the type in the facility
--        was in evidence for at least 12 hours that day and never in use; each such unit covers one
--        rented unit. days_unknown: days without evidence of any own unit: nothing is claimed then.
with site as materialized (
    select facility.id, app.facility_clock(facility.id) as clock from registry.facility
),
rented as (
    select
        rental.facility_id, rental.device_type_id, rental.vendor_id,
        rental.currency_code::text as currency, rental.quantity, rental.daily_rate,
        day::date as day, facility.time_zone
    from finance.rental
    join registry.facility on facility.id = rental.facility_id
    cross join lateral generate_series(
        greatest(rental.starts_on, %(from)s::date)::timestamp,
        least(rental.ends_on, %(to)s::date)::timestamp, interval '1 day'
    ) as day
    where rental.deleted_at is null
),
own as materialized (
    select asset.id, asset.facility_id, model.device_type_id
    from registry.asset
    join registry.device_model as model on model.id = asset.device_model_id
    where asset.deleted_at is null
        and asset.ownership = 'OWNED'
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
),
place as materialized (
    select
        wanted.facility_id, wanted.device_type_id, wanted.day,
        site.clock,
        wanted.day::timestamp at time zone wanted.time_zone as starts_at,
        (wanted.day + 1)::timestamp at time zone wanted.time_zone as ends_at
    from (select distinct facility_id, device_type_id, day, time_zone from rented) as wanted
    join site on site.id = wanted.facility_id
),
session as materialized (
    select
        own.id as asset_id, own.facility_id, own.device_type_id, used.state, used.started_at,
        used.ended_at
    from tracking.usage_session as used
    join own on own.id = used.asset_id
    where used.state <> 'UNKNOWN'
        and used.started_at < (select max(place.ends_at) from place)
        and coalesce(used.ended_at, 'infinity') > (select min(place.starts_at) from place)
        and (own.facility_id, own.device_type_id) in (
            select place.facility_id, place.device_type_id from place
        )
),
evidence as (
    select
        place.facility_id, place.device_type_id, place.day, session.asset_id,
        coalesce(bool_or(session.state = 'IN_USE'), false) as was_used,
        coalesce(sum(extract(epoch from
            least(coalesce(session.ended_at, place.clock, place.ends_at), place.ends_at)
            - greatest(session.started_at, place.starts_at)
        )) filter (where session.state = 'AVAILABLE'), 0) as idle_s
    from place
    join session
        on session.facility_id = place.facility_id
        and session.device_type_id = place.device_type_id
        and session.started_at < place.ends_at
        and (session.ended_at is null or session.ended_at > place.starts_at)
    group by place.facility_id, place.device_type_id, place.day, session.asset_id
),
idle as materialized (
    select
        facility_id, device_type_id, day,
        count(*) filter (where not was_used and idle_s >= 12 * 3600) as units,
        count(*) as known
    from evidence
    group by facility_id, device_type_id, day
),
shared as (
    select
        rented.*,
        idle.known,
        -- The dearest rental is the one that could have been saved first.
        greatest(0, least(
            rented.quantity,
            coalesce(idle.units, 0) - coalesce(sum(rented.quantity) over (
                partition by rented.facility_id, rented.device_type_id, rented.day
                order by rented.currency, rented.daily_rate desc, rented.vendor_id
                rows between unbounded preceding and 1 preceding
            ), 0)
        )) as avoidable
    from rented
    left join idle
        on idle.facility_id = rented.facility_id
        and idle.device_type_id = rented.device_type_id
        and idle.day = rented.day
)
select
    facility.code as facility,
    kind.name as device_type,
    vendor.name as vendor,
    shared.currency,
    sum(shared.quantity) as unit_days,
    sum(shared.quantity * shared.daily_rate) as cost,
    (
        select count(*)
        from own
        where own.facility_id = shared.facility_id
            and own.device_type_id = shared.device_type_id
    ) as own_units,
    sum(shared.avoidable) as avoidable_unit_days,
    sum(shared.avoidable * shared.daily_rate) as avoidable_cost,
    count(distinct shared.day) filter (where shared.known is null) as days_unknown
from shared
join registry.facility on facility.id = shared.facility_id
join registry.device_type as kind on kind.id = shared.device_type_id
join registry.vendor on vendor.id = shared.vendor_id
group by
    shared.facility_id, shared.device_type_id, facility.code, kind.name, vendor.name,
    shared.currency
order by cost desc, facility.code, kind.name, vendor.name, shared.currency
