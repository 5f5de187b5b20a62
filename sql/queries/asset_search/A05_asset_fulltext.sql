-- name: A05 asset_fulltext
-- title: Which assets have these words in their name, maker, model or notes?
-- audience: B, N
-- param: words text
-- param: most int = 50
-- columns: asset_id, asset_tag, name, manufacturer, model, status, facility, rank
-- notes: One row an asset, best first: a word in the name counts most, one in the notes least.
--        "quoted words" stand together, -word must be absent, or is or. Without regard to accents;
--        an English ending (pumps) does not matter.
with asked as (
    select
        websearch_to_tsquery('english', app.fold(%(words)s::text))
        || websearch_to_tsquery('simple', app.fold(%(words)s::text)) as words
)
select
    register.asset_id,
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.status,
    register.facility,
    round(ts_rank(asset.search_words, asked.words)::numeric, 4) as rank
from asked
join registry.asset on asset.search_words @@ asked.words
join reporting.v_asset_register as register on register.asset_id = asset.id
order by rank desc, register.name, register.asset_tag
limit %(most)s::int
