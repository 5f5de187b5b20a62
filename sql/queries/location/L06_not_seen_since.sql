-- name: L06 not_seen_since
-- title: Which tagged assets have not been seen for so long, and where were they last?
-- audience: B
-- param: hours numeric = 24
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, facility, last_room, last_seen_at, hours_unseen, battery_pct,
--          criticality, custodian
-- notes: One row an asset in service that wears a tag, the longest first. last_seen_at is NULL for
--        one that was never seen. Never fewer hours than the threshold missing_after_h (24), which
--        v_missing_assets keeps to.
select
    missing.tag as asset_tag,
    asset.name,
    missing.facility,
    missing.last_room,
    missing.last_seen_at,
    missing.hours_unseen,
    missing.battery_pct,
    missing.criticality,
    missing.custodian
from reporting.f_v_missing_assets(%(as_of)s::timestamptz) as missing
join registry.asset on asset.id = missing.asset_id
where missing.hours_unseen > %(hours)s::numeric
    and (%(facility)s::text is null or missing.facility = %(facility)s::text)
order by missing.hours_unseen desc, missing.tag
