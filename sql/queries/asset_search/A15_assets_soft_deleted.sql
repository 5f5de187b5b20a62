-- name: A15 assets_soft_deleted
-- title: Which assets were deleted, when, by whom and why?
-- audience: Q
-- param: since timestamptz = now - 365 days
-- columns: asset_id, asset_tag, name, manufacturer, model, serial, facility, deleted_at,
--          deleted_by, deleted_reason, tag_taken
-- notes: One row a deleted asset, newest first. tag_taken: its inventory number is in use again,
--        so that it needs another one to be restored.
select
    asset.id as asset_id,
    asset.tag_number as asset_tag,
    asset.name,
    asset.manufacturer,
    asset.model,
    asset.serial_number as serial,
    facility.code as facility,
    asset.deleted_at,
    person.display_name as deleted_by,
    asset.deleted_reason,
    exists (
        select from registry.asset as other
        where other.organization_id = asset.organization_id
            and other.tag_number = asset.tag_number
            and other.deleted_at is null
    ) as tag_taken
from registry.asset
join registry.facility on facility.id = asset.facility_id
left join registry.user_account as person on person.id = asset.deleted_by
where asset.deleted_at >= %(since)s::timestamptz
order by asset.deleted_at desc, asset.tag_number
