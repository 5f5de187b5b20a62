-- name: A14 assets_changed_since
-- title: Which assets were changed since a time, in which fields, by whom?
-- audience: O, Q
-- param: since timestamptz = now - 7 days
-- columns: asset_id, asset_tag, name, version, updated_at, changes, fields, people, is_deleted
-- notes: One row an asset whose own record was inserted, changed, deleted or restored since, newest
--        first; for synchronising other systems start again from the newest updated_at. fields are
--        all that changed; people who did it, by name, else by login.
select
    asset.id as asset_id,
    asset.tag_number as asset_tag,
    asset.name,
    asset.version,
    asset.updated_at,
    count(distinct entry.sequence) as changes,
    array_agg(distinct field.name order by field.name) filter (where field.name is not null)
        as fields,
    array_agg(distinct coalesce(person.display_name, entry.login)) as people,
    asset.deleted_at is not null as is_deleted
from audit.log as entry
join registry.asset on asset.id = entry.row_id
left join lateral unnest(entry.changed) as field (name) on true
left join registry.user_account as person on person.id = entry.user_id
where entry.relation = 'registry.asset'
    and entry.at >= %(since)s::timestamptz
group by asset.id
order by asset.updated_at desc, asset.tag_number
