-- name: M05 pm_missed_reasons
-- title: Why was preventive maintenance missed?
-- audience: Q
-- param: from date = today - 365 days
-- param: to date = today
-- param: as_of timestamptz = now
-- columns: facility, reason, missed, high_risk, assets, share_pct
-- notes: One row a facility and reason, of what came due from .. to. reason OPEN: still open past
--        its grace, nobody said why. Left out: cancelled, still within its grace, retired before.
--        share_pct is of the facility's missed ones.
with missed as (
    select
        facility.code as facility,
        -- Completed later than as_of: open until then.
        case occurrence.outcome when 'COMPLETED' then 'OPEN' else occurrence.outcome end as reason,
        asset.id as asset_id,
        reporting.is_high_risk(
            asset.category, asset.criticality, model.risk_class, kind.is_life_support
        ) as high_risk
    from maintenance.occurrence
    join maintenance.schedule on schedule.id = occurrence.schedule_id
    join registry.asset on asset.id = occurrence.asset_id
    join registry.facility on facility.id = asset.facility_id
    cross join lateral (
        select (%(as_of)s::timestamptz at time zone facility.time_zone)::date as day
    ) as local
    left join registry.device_model as model on model.id = asset.device_model_id
    left join registry.device_type as kind on kind.id = model.device_type_id
    left join finance.disposal on disposal.asset_id = asset.id and disposal.deleted_at is null
    where schedule.kind = 'PM'
        and occurrence.due_on between %(from)s::date and %(to)s::date
        and occurrence.due_on <= local.day
        and occurrence.outcome <> 'CANCELLED'
        and (occurrence.completed_on is null or occurrence.completed_on > local.day)
        and (occurrence.outcome not in ('OPEN', 'COMPLETED') or occurrence.grace_until < local.day)
        and occurrence.deleted_at is null
        and asset.deleted_at is null
        and (asset.retired_on is null or asset.retired_on >= occurrence.due_on)
        and (disposal.disposed_on is null or disposal.disposed_on >= occurrence.due_on)
)
select
    facility,
    reason,
    count(*) as missed,
    count(*) filter (where high_risk) as high_risk,
    count(distinct asset_id) as assets,
    round(100.0 * count(*) / sum(count(*)) over (partition by facility), 1) as share_pct
from missed
group by facility, reason
order by facility, missed desc, reason
