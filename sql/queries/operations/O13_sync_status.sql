-- name: O13 sync_status
-- title: How fresh is what other systems know, and what failed?
-- audience: O
-- param: stale_after interval = 1 day
-- param: as_of timestamptz = now
-- columns: system, kind, assets, synced, pending, failed, stale, oldest_sync_at, newest_sync_at,
--          newest_error
-- notes: One row a system, those with failures first. stale: synchronised longer ago than
--        stale_after, or never. An asset that is not configured for a system is not counted.
select
    system.code as system,
    system.kind,
    count(sync.id) as assets,
    count(sync.id) filter (where sync.status = 'SYNCED') as synced,
    count(sync.id) filter (where sync.status = 'PENDING') as pending,
    count(sync.id) filter (where sync.status = 'FAILED') as failed,
    count(sync.id) filter (where coalesce(
        sync.last_synced_at < %(as_of)s::timestamptz - %(stale_after)s::interval, true
    )) as stale,
    min(sync.last_synced_at) as oldest_sync_at,
    max(sync.last_synced_at) as newest_sync_at,
    public.last(sync.error, sync.last_attempt_at)
        filter (where sync.status = 'FAILED' and sync.last_attempt_at is not null) as newest_error
from registry.external_system as system
left join (
    registry.external_sync as sync
    join registry.asset on asset.id = sync.asset_id and asset.deleted_at is null
) on sync.system_id = system.id
    and sync.deleted_at is null
    and sync.status <> 'NOT_CONFIGURED'
where system.deleted_at is null
group by system.code, system.kind
order by failed desc, system.code
