-- name: A03 asset_by_udi
-- title: Which assets belong to this UDI, and is the UDI sound?
-- audience: B, Q
-- param: udi text
-- columns: asset_id, asset_tag, name, issuer, udi_di, match_on, serial, serial_in_carrier,
--          check_ok, problem, facility
-- notes: One row an asset. udi is a device identifier, or a carrier as scanned. serial_in_carrier:
--        the scan also holds this asset's serial number, which tells units of a model apart.
--        check_ok is the verdict on the check character: NULL was never checked.
select
    quality.asset_id,
    asset.asset_tag,
    asset.name,
    quality.issuer,
    quality.udi_di,
    case
        when quality.udi_di = scan.udi then 'device identifier'
        when own.udi_carrier = scan.udi then 'carrier'
        else 'device identifier in carrier'
    end as match_on,
    quality.serial,
    case
        when quality.udi_di <> scan.udi and quality.serial <> ''
        then position(upper(quality.serial) in upper(scan.udi)) > 0
    end as serial_in_carrier,
    quality.check_ok,
    quality.problem,
    asset.facility
from (select btrim(%(udi)s::text) as udi) as scan
cross join reporting.v_udi_quality as quality
join reporting.v_asset_register as asset on asset.asset_id = quality.asset_id
join registry.asset as own on own.id = quality.asset_id
where quality.udi_di = scan.udi
    or own.udi_carrier = scan.udi
    -- A carrier holds the identifier behind its issuer's mark: (01) or 01, + or =/.
    or (
        length(quality.udi_di) >= 6
        and scan.udi ~ '^(\(01\)|01|\+|=/)'
        and starts_with(regexp_replace(scan.udi, '^(\(01\)|01|\+|=/)', ''), quality.udi_di)
    )
order by serial_in_carrier desc nulls last, asset.asset_tag
