-- name: A08 asset_by_external_id
-- title: Which asset is this, by its number in another system?
-- audience: O
-- param: external_id text
-- param: system text = null
-- columns: system, system_kind, external_id, asset_id, asset_tag, name, facility, sync_status,
--          last_synced_at, url
-- notes: One row a system (all, unless its code or kind is given: EHR, CMMS, ERP, FHIR) that calls
--        an asset so.
select
    system.code as system,
    system.kind as system_kind,
    sync.external_id,
    register.asset_id,
    register.asset_tag,
    register.name,
    register.facility,
    sync.status as sync_status,
    sync.last_synced_at,
    sync.url
from registry.external_sync as sync
join registry.external_system as system
    on system.id = sync.system_id and system.deleted_at is null
join reporting.v_asset_register as register on register.asset_id = sync.asset_id
where sync.deleted_at is null
    and sync.external_id = btrim(%(external_id)s::text)
    and (
        %(system)s::text is null
        or system.code = lower(%(system)s::text)
        or system.kind = upper(%(system)s::text)
    )
order by system.code, register.asset_tag
