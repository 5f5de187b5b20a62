-- name: O14 tenant_growth
-- title: How fast does each organization grow?
-- audience: O
-- role: operator
-- param: from timestamptz = now - 7 days
-- param: to timestamptz = now
-- columns: organization, facilities, assets, assets_added, positions, positions_per_day,
--          sensor_readings, share_pct, estimated_mb
-- notes: One row an organization. Positions and readings are those of the time; share_pct is its
--        share of all positions then, and estimated_mb that share of the whole table of positions:
--        an estimate, for chunks hold the rows of all.
with position as (
    select history.organization_id, count(*) as rows
    from telemetry.location_history as history
    where history.ts >= %(from)s::timestamptz and history.ts < %(to)s::timestamptz
    group by history.organization_id
),
reading as (
    select measured.organization_id, count(*) as rows
    from telemetry.sensor_reading as measured
    where measured.ts >= %(from)s::timestamptz and measured.ts < %(to)s::timestamptz
    group by measured.organization_id
)
select
    organization.code as organization,
    (
        select count(*) from registry.facility
        where facility.organization_id = organization.id and facility.deleted_at is null
    ) as facilities,
    fleet.assets,
    fleet.added as assets_added,
    coalesce(position.rows, 0) as positions,
    round(
        coalesce(position.rows, 0) * 86400 / nullif(
            extract(epoch from %(to)s::timestamptz - %(from)s::timestamptz), 0
        )
    ) as positions_per_day,
    coalesce(reading.rows, 0) as sensor_readings,
    round(100.0 * position.rows / nullif(sum(position.rows) over (), 0), 1) as share_pct,
    round(
        (
            select health.total_bytes
            from reporting.v_hypertable_health as health
            where health.hypertable = 'telemetry.location_history'
        ) / 1048576.0 * position.rows / nullif(sum(position.rows) over (), 0), 1
    ) as estimated_mb
from registry.organization
cross join lateral (
    select
        count(*) filter (where asset.deleted_at is null) as assets,
        count(*) filter (
            where asset.created_at >= %(from)s::timestamptz
                and asset.created_at < %(to)s::timestamptz
        ) as added
    from registry.asset
    where asset.organization_id = organization.id
) as fleet
left join position on position.organization_id = organization.id
left join reading on reading.organization_id = organization.id
where organization.deleted_at is null
order by positions desc, organization.code
