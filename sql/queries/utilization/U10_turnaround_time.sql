-- name: U10 turnaround_time
-- title: How long from the end of use until it is clean and free again?
-- audience: N
-- param: from timestamptz = now - 30 days
-- param: to timestamptz = now
-- param: facility text = null
-- columns: facility, device_type, turnarounds, waiting_p50_min, waiting_p90_min, cleaning_p50_min,
--          cleaning_p90_min, total_p50_min, total_p90_min
-- notes: One row a facility and type. A turnaround is a stay in state CLEANING by presence that began
--        in the time, after use and followed by AVAILABLE: waiting is from the end of the last use
--        to the cleaning, total until it was available. Use that no cleaning followed is none.
with trail as (
    select
        used.facility_id,
        used.asset_id,
        used.state,
        used.started_at,
        used.ended_at,
        max(used.ended_at) filter (where used.state = 'IN_USE') over before as used_until,
        max(used.ended_at) filter (where used.state = 'CLEANING') over before as cleaned_until,
        min(used.started_at) filter (where used.state = 'AVAILABLE') over after as free_from
    from tracking.usage_session as used
    where used.method = 'presence'
        and used.state <> 'UNKNOWN'
        and used.started_at < %(to)s::timestamptz + interval '7 days'
        and used.started_at >= %(from)s::timestamptz - interval '7 days'
    window
        before as (
            partition by used.asset_id order by used.started_at, used.id
            rows between unbounded preceding and 1 preceding
        ),
        after as (
            partition by used.asset_id order by used.started_at, used.id
            rows between 1 following and unbounded following
        )
),
turnaround as (
    select
        trail.facility_id,
        trail.asset_id,
        extract(epoch from trail.started_at - trail.used_until) / 60 as waiting,
        extract(epoch from trail.ended_at - trail.started_at) / 60 as cleaning,
        extract(epoch from trail.free_from - trail.used_until) / 60 as total
    from trail
    where trail.state = 'CLEANING'
        and trail.started_at >= %(from)s::timestamptz
        and trail.started_at < %(to)s::timestamptz
        and trail.used_until is not null
        and trail.free_from is not null
        -- Cleaned twice after one use: the first time counts.
        and coalesce(trail.cleaned_until <= trail.used_until, true)
)
select
    facility.code as facility,
    type.code as device_type,
    count(*) as turnarounds,
    round((percentile_cont(0.5) within group (order by turnaround.waiting))::numeric, 1)
        as waiting_p50_min,
    round((percentile_cont(0.9) within group (order by turnaround.waiting))::numeric, 1)
        as waiting_p90_min,
    round((percentile_cont(0.5) within group (order by turnaround.cleaning))::numeric, 1)
        as cleaning_p50_min,
    round((percentile_cont(0.9) within group (order by turnaround.cleaning))::numeric, 1)
        as cleaning_p90_min,
    round((percentile_cont(0.5) within group (order by turnaround.total))::numeric, 1)
        as total_p50_min,
    round((percentile_cont(0.9) within group (order by turnaround.total))::numeric, 1)
        as total_p90_min
from turnaround
join registry.asset on asset.id = turnaround.asset_id and asset.deleted_at is null
join registry.facility on facility.id = turnaround.facility_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as type on type.id = model.device_type_id
where %(facility)s::text is null or facility.code = %(facility)s::text
group by facility.code, type.code
order by facility.code, type.code
