-- name: U09 sessions_summary
-- title: How often and how long is equipment used, by which unit and which kind of operator?
-- audience: N
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: facility, unit, operator_job, method, sessions, assets, median_min, total_h
-- notes: One row a facility, department of the room, job of the person who ran it then (NULL: nobody
--        on record) and method. Sessions that began in the time; the median is of those that have
--        ended, and open ones count to the newest window.
with site as materialized (
    select facility.id, app.facility_clock(facility.id) as clock from registry.facility
),
session as materialized (
    select
        used.*,
        least(
            coalesce(used.ended_at, site.clock), %(to)s::timestamptz
        ) as counted_to
    from tracking.usage_session as used
    join site on site.id = used.facility_id
    where used.state = 'IN_USE'
        and used.started_at >= %(from)s::timestamptz
        and used.started_at < %(to)s::timestamptz
),
operator as materialized (
    select distinct on (session.id) session.id, person.job
    from session
    join registry.assignment as ran on ran.asset_id = session.asset_id
        and ran.during @> session.started_at
    join registry.user_account as person on person.id = ran.user_id
    where ran.kind = 'OPERATION' and ran.deleted_at is null
    order by session.id, lower(ran.during) desc
)
select
    facility.code as facility,
    department.code as unit,
    operator.job as operator_job,
    session.method,
    count(*) as sessions,
    count(distinct session.asset_id) as assets,
    round((percentile_cont(0.5) within group (
        order by extract(epoch from session.ended_at - session.started_at)
    ) / 60)::numeric, 1) as median_min,
    round(coalesce(sum(extract(epoch from
        greatest(session.counted_to, session.started_at) - session.started_at
    )), 0) / 3600, 2) as total_h
from session
join registry.asset on asset.id = session.asset_id and asset.deleted_at is null
join registry.facility on facility.id = session.facility_id
left join registry.room on room.id = session.room_id
left join registry.department on department.id = room.department_id
left join operator on operator.id = session.id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by facility.code, department.code, operator.job, session.method
order by facility.code, department.code, operator.job, session.method
