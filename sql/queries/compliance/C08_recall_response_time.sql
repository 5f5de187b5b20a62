-- name: C08 recall_response_time
-- title: How long does it take from the notice of a recall to the disposition of each device?
-- audience: Q
-- param: from date = today - 365 days
-- param: to date = today
-- param: as_of timestamptz = now
-- columns: recall_class, recalls, devices, disposed, still_open, p50_days, p90_days, worst_days,
--          on_time_pct
-- notes: One row a recall class (NULL: not classified), of recalls received from .. to (UTC) and
--        the devices recorded for them. Days are those of what is disposed of; still_open has no
--        day yet, so the figures are too kind while it is not 0. on_time_pct is of devices whose
--        recall has a due date and that are disposed of or past it.
with device as (
    select
        recall.recall_class, recall.severity_rank, recall.id as recall_id, recall.received_at,
        recall.due_on,
        handled.id as handled_id,
        case when handled.disposed_at <= %(as_of)s::timestamptz then handled.disposed_at end
            as disposed_at
    from compliance.recall
    left join compliance.recall_asset as handled
        on handled.recall_id = recall.id and handled.deleted_at is null
        and exists (
            select from reporting.v_asset_register as register
            where register.asset_id = handled.asset_id
        )
    where recall.deleted_at is null
        and recall.received_at >= %(from)s::date::timestamp at time zone 'UTC'
        and recall.received_at < (%(to)s::date + 1)::timestamp at time zone 'UTC'
),
timed as (
    select
        device.*,
        extract(epoch from disposed_at - received_at) / 86400 as days,
        case
            when disposed_at is not null then (disposed_at at time zone 'UTC')::date <= due_on
            when due_on < (%(as_of)s::timestamptz at time zone 'UTC')::date
                and handled_id is not null
            then false
        end as on_time
    from device
)
select
    recall_class,
    count(distinct recall_id) as recalls,
    count(handled_id) as devices,
    count(disposed_at) as disposed,
    count(handled_id) - count(disposed_at) as still_open,
    round(percentile_cont(0.5) within group (order by days)::numeric, 1) as p50_days,
    round(percentile_cont(0.9) within group (order by days)::numeric, 1) as p90_days,
    round(max(days), 1) as worst_days,
    round(100.0 * count(*) filter (where on_time) / nullif(count(on_time), 0), 1) as on_time_pct
from timed
group by recall_class, severity_rank
order by severity_rank nulls last
