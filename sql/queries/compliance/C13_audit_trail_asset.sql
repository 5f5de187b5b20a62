-- name: C13 audit_trail_asset
-- title: Who changed what on the record of this asset, field by field?
-- audience: Q
-- param: tag text
-- param: since timestamptz = now - 3650 days
-- columns: asset_id, at, action, version, field, before, after, person, login, role, reason, sequence
-- notes: One row a changed field, newest first; an insertion is one row with no field. Also of an
--        asset that was deleted. person is on whose behalf the login acted. Numbers that follow
--        from others are not in the trail.
select
    asset.id as asset_id,
    entry.at,
    entry.action,
    entry.version,
    field.name as field,
    entry.before ->> field.name as before,
    entry.after ->> field.name as after,
    person.display_name as person,
    entry.login,
    entry.role,
    entry.reason,
    entry.sequence
from registry.asset
join audit.log as entry
    on entry.organization_id = asset.organization_id
    and entry.relation = 'registry.asset'
    and entry.row_id = asset.id
left join lateral unnest(entry.changed) as field (name) on true
left join registry.user_account as person on person.id = entry.user_id
where upper(asset.tag_number) = upper(btrim(%(tag)s::text))
    and entry.at >= %(since)s::timestamptz
order by entry.sequence desc, field.name
