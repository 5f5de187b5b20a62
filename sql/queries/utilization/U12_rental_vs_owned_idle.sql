-- name: U12 rental_vs_owned_idle
-- title: Is equipment being rented while units of one's own stand idle?
-- audience: C
-- param: from date = today - 30 days
-- param: to date = today
-- param: method text = presence
-- param: facility text = null
-- columns: facility, device_type, currency, rented_unit_days, rental_cost, idle_unit_days,
--          avoidable_unit_days, avoidable_cost
-- notes: One row a facility, type and currency with a rental in the time (both days count). Idle: a
--        unit in service of that facility that was available and not in use at all that day, and
--        known for at least half of it; one that nobody saw is not idle. Each day at most as many
--        rented units are avoidable as stood idle, the dearest first.
with rented as (
    select
        rental.id,
        rental.facility_id,
        rental.device_type_id,
        rental.currency_code,
        rental.daily_rate,
        rental.quantity,
        days.day::date as date,
        sum(rental.quantity) over (
            partition by rental.facility_id, rental.device_type_id, days.day
            order by rental.daily_rate desc, rental.id
        ) - rental.quantity as dearer
    from finance.rental
    cross join lateral generate_series(
        greatest(rental.starts_on, %(from)s::date)::timestamp,
        least(coalesce(rental.ends_on, %(to)s::date), %(to)s::date)::timestamp,
        interval '1 day'
    ) as days (day)
    where rental.deleted_at is null
        and rental.starts_on <= %(to)s::date
        and (rental.ends_on is null or rental.ends_on >= %(from)s::date)
),
idle as (
    select used.facility_id, used.device_type_id, used.date, count(*) as units
    from reporting.usage_days(
        (%(from)s::date - 1)::timestamptz, (%(to)s::date + 2)::timestamptz
    ) as used
    join registry.asset on asset.id = used.asset_id
        and asset.ownership <> 'RENTED'
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    where used.method = %(method)s::text
        and used.in_use_min = 0
        and used.available_min >= 12 * 60
    group by used.facility_id, used.device_type_id, used.date
),
day as (
    select
        rented.*,
        coalesce(idle.units, 0) as idle_units,
        greatest(least(rented.quantity, coalesce(idle.units, 0) - rented.dearer), 0) as avoidable
    from rented
    left join idle on idle.facility_id = rented.facility_id
        and idle.device_type_id = rented.device_type_id
        and idle.date = rented.date
)
select
    facility.code as facility,
    type.code as device_type,
    day.currency_code as currency,
    sum(day.quantity) as rented_unit_days,
    sum(day.quantity * day.daily_rate) as rental_cost,
    -- Each day's idle units once, however many rentals there are.
    sum(day.idle_units) filter (where day.dearer = 0) as idle_unit_days,
    sum(day.avoidable) as avoidable_unit_days,
    sum(day.avoidable * day.daily_rate) as avoidable_cost
from day
join registry.facility on facility.id = day.facility_id
join registry.device_type as type on type.id = day.device_type_id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by facility.code, type.code, day.currency_code
order by facility.code, type.code, day.currency_code
