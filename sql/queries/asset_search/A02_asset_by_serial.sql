-- name: A02 asset_by_serial
-- title: Which assets have this serial number?
-- audience: B
-- param: serial text
-- param: manufacturer text = null
-- columns: asset_id, asset_tag, name, manufacturer, model, serial, status, facility, department
-- notes: One row an asset; two makers may use the same number. manufacturer may be part of a name,
--        without regard to case and accents.
select
    asset_id,
    asset_tag,
    name,
    manufacturer,
    model,
    serial,
    status,
    facility,
    department
from reporting.v_asset_register
where upper(serial) = upper(btrim(%(serial)s::text))
    and (
        %(manufacturer)s::text is null
        or position(app.fold(%(manufacturer)s::text) in app.fold(manufacturer)) > 0
    )
order by manufacturer, model, asset_tag
