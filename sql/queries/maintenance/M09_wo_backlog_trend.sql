-- name: M09 wo_backlog_trend
-- title: How many work orders were opened and closed each month, and how many were open at its end?
-- audience: B
-- param: from date = today - 365 days
-- param: to date = today
-- param: facility text = null
-- columns: month, facility, opened, closed, open_at_end
-- notes: One row a facility and month, whole months by the facility's clock. closed counts
--        completions; a cancelled work order never counts. A month without any has zeros.
with site as (
    select facility.id, facility.code, facility.time_zone
    from registry.facility
    where facility.deleted_at is null
        and (%(facility)s::text is null or facility.code = %(facility)s::text)
),
span as (
    select
        site.id, site.code, month::date as month,
        month at time zone site.time_zone as starts_at,
        (month + interval '1 month') at time zone site.time_zone as ends_at
    from site
    cross join generate_series(
        date_trunc('month', %(from)s::date::timestamp), %(to)s::date::timestamp, interval '1 month'
    ) as month
),
work as (
    select asset.facility_id, work.reported_at, work.completed_at
    from maintenance.work_order as work
    join registry.asset on asset.id = work.asset_id and asset.deleted_at is null
    where work.deleted_at is null and work.status <> 'CANCELLED'
)
select
    span.month,
    span.code as facility,
    count(*) filter (
        where work.reported_at >= span.starts_at and work.reported_at < span.ends_at
    ) as opened,
    count(*) filter (
        where work.completed_at >= span.starts_at and work.completed_at < span.ends_at
    ) as closed,
    count(*) filter (
        where work.reported_at < span.ends_at
            and (work.completed_at is null or work.completed_at >= span.ends_at)
    ) as open_at_end
from span
left join work
    on work.facility_id = span.id
    and work.reported_at < span.ends_at
    and (work.completed_at is null or work.completed_at >= span.starts_at)
group by span.month, span.code
order by span.month, span.code
