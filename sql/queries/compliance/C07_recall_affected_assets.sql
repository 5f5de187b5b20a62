-- name: C07 recall_affected_assets
-- title: Which devices does a recall concern, how certain is that, and where are they now?
-- audience: Q, B
-- param: recall text = null
-- param: as_of timestamptz = now
-- columns: number, recall_class, asset_tag, name, manufacturer, model, udi_di, lot, serial,
--          match_basis, assessment, disposition, recorded, facility, located_room, last_seen_at,
--          custodian
-- notes: One row an open recall (all, unless its number is given) and device that is affected or
--        must be looked at. match_basis is the narrowest thing that the recall names: SERIAL, LOT,
--        DATE, UDI, MODEL. recorded false: found by the scope, nobody has taken it up.
select
    exposed.number,
    exposed.recall_class,
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.udi_di,
    asset.lot_number as lot,
    register.serial,
    exposed.match_basis,
    exposed.assessment,
    exposed.disposition,
    exposed.recorded,
    register.facility,
    exposed.located_room,
    place.last_seen_at,
    register.custodian
from reporting.f_v_recall_exposure(%(as_of)s::timestamptz) as exposed
join reporting.v_asset_register as register on register.asset_id = exposed.asset_id
join registry.asset on asset.id = exposed.asset_id
left join tracking.asset_location_current as place on place.asset_id = exposed.asset_id
where %(recall)s::text is null or upper(exposed.number) = upper(btrim(%(recall)s::text))
order by
    exposed.severity_rank nulls last, exposed.number, exposed.assessment, register.asset_tag
