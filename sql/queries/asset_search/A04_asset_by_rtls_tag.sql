-- name: A04 asset_by_rtls_tag
-- title: Which asset wears this radio tag now, and which wore it before?
-- audience: B, O
-- param: tag text
-- columns: tag, asset_id, asset_tag, name, worn_from, worn_until, is_worn_now
-- notes: One row a time of wearing, newest first. tag is scheme:value as in a read batch, or the
--        value alone. worn_until NULL: no end is planned. An asset that was deleted since has no
--        row.
select
    tag.name as tag,
    asset.asset_id,
    asset.asset_tag,
    asset.name,
    lower(worn.during) as worn_from,
    upper(worn.during) as worn_until,
    worn.during @> now() as is_worn_now
from registry.tag
join registry.tag_assignment as worn on worn.tag_id = tag.id
join reporting.v_asset_register as asset on asset.asset_id = worn.asset_id
where tag.deleted_at is null
    and (
        tag.name = btrim(%(tag)s::text)
        or split_part(tag.name, ':', 2) = lower(btrim(%(tag)s::text))
        or lower(substring(tag.name from position(':' in tag.name) + 1))
            = lower(btrim(%(tag)s::text))
    )
order by tag.name, worn_from desc nulls last
