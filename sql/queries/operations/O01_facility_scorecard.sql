-- name: O01 facility_scorecard
-- title: How does each facility stand, in one line?
-- audience: C, O
-- param: as_of timestamptz = now
-- columns: facility, name, assets, tagged, seen_24h_pct, pm_month, pm_completion_pct,
--          utilization_pct, open_recall_assets, open_alerts, expected_failures_30d
-- notes: One row a facility. assets: in service and owned by it; seen_24h_pct is of those that wear a
--        tag. PM is that of the last full month, all groups together, NULL when nothing came due.
--        Utilization is by presence only, over 7 days. Expected failures: the sum of the risks over
--        720 hours, NULL where nothing was scored.
with site as (
    select
        facility.*,
        date_trunc('month', %(as_of)s::timestamptz at time zone facility.time_zone)::date
            - interval '1 month' as month
    from registry.facility
    where facility.deleted_at is null
),
fleet as (
    select
        asset.facility_id,
        count(*) as assets,
        count(*) filter (where worn.asset_id is not null) as tagged,
        count(*) filter (
            where worn.asset_id is not null
                and place.last_seen_at > %(as_of)s::timestamptz - interval '24 hours'
        ) as seen
    from registry.asset
    left join (
        select distinct assigned.asset_id
        from registry.tag_assignment as assigned
        where assigned.during @> %(as_of)s::timestamptz
    ) as worn on worn.asset_id = asset.id
    left join tracking.asset_location_current as place on place.asset_id = asset.id
    where asset.deleted_at is null and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    group by asset.facility_id
),
pm as (
    select month.facility_id, month.month, sum(month.scheduled) as due, sum(month.on_time) as good
    from reporting.f_v_pm_compliance_monthly(%(as_of)s::timestamptz) as month
    group by month.facility_id, month.month
),
use as (
    select
        piece.facility_id,
        sum(spent.s) filter (where piece.state = 'IN_USE') as used,
        sum(spent.s) as known
    from reporting.usage_pieces(
        %(as_of)s::timestamptz - interval '7 days', %(as_of)s::timestamptz
    ) as piece
    join registry.asset on asset.id = piece.asset_id and asset.deleted_at is null
    cross join lateral (
        select date_part('epoch', piece.ended_at - piece.started_at) as s
    ) as spent
    where piece.method = 'presence' and piece.state in ('IN_USE', 'AVAILABLE')
    group by piece.facility_id
),
recalled as (
    select asset.facility_id, count(distinct asset.id) as assets
    from compliance.recall_asset as affected
    join registry.asset on asset.id = affected.asset_id and asset.deleted_at is null
    where affected.disposition in ('OPEN', 'IN_PROGRESS')
        and affected.assessment <> 'NOT_AFFECTED'
        and affected.deleted_at is null
    group by asset.facility_id
),
alarm as (
    select alert.facility_id, count(*) as open
    from reporting.f_v_alerts_open(%(as_of)s::timestamptz) as alert
    group by alert.facility_id
),
risk as (
    select one.facility_id, sum(one.p_failure) as failures
    from (
        select distinct on (scored.asset_id) scored.facility_id, scored.p_failure
        from reporting.f_v_risk_current(%(as_of)s::timestamptz) as scored
        join prediction.model on model.id = scored.model_id
        where scored.horizon_h = 720
        order by scored.asset_id, model.device_type_id is null, scored.scored_at desc
    ) as one
    group by one.facility_id
)
select
    site.code as facility,
    site.name,
    coalesce(fleet.assets, 0) as assets,
    coalesce(fleet.tagged, 0) as tagged,
    round(100.0 * fleet.seen / nullif(fleet.tagged, 0), 1) as seen_24h_pct,
    site.month::date as pm_month,
    round(100.0 * pm.good / nullif(pm.due, 0), 1) as pm_completion_pct,
    round((100 * coalesce(use.used, 0) / nullif(use.known, 0))::numeric, 1) as utilization_pct,
    coalesce(recalled.assets, 0) as open_recall_assets,
    coalesce(alarm.open, 0) as open_alerts,
    round(risk.failures::numeric, 2) as expected_failures_30d
from site
left join fleet on fleet.facility_id = site.id
left join pm on pm.facility_id = site.id and pm.month = site.month::date
left join use on use.facility_id = site.id
left join recalled on recalled.facility_id = site.id
left join alarm on alarm.facility_id = site.id
left join risk on risk.facility_id = site.id
order by site.code
