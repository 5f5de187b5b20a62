-- name: A01 asset_by_tag
-- title: Which asset carries this inventory number, and where is it now?
-- audience: B, N
-- param: tag text
-- columns: asset_id, asset_tag, name, manufacturer, model, serial, category, status, criticality,
--          facility, department, custodian, room, last_seen_at
-- notes: One row or none. Upper and lower case are the same; room is where it was last located.
select
    asset.asset_id,
    asset.asset_tag,
    asset.name,
    asset.manufacturer,
    asset.model,
    asset.serial,
    asset.category,
    asset.status,
    asset.criticality,
    asset.facility,
    asset.department,
    asset.custodian,
    room.name as room,
    place.last_seen_at
from reporting.v_asset_register as asset
left join tracking.asset_location_current as place on place.asset_id = asset.asset_id
left join registry.room on room.id = place.room_id
where upper(asset.asset_tag) = upper(btrim(%(tag)s::text))
-- A number that differs only in case belongs to two assets: the one as typed comes first.
order by asset.asset_tag = btrim(%(tag)s::text) desc, asset.asset_tag
