-- name: A05 asset_fulltext
-- title: Which assets have these words in their name, maker, model or notes?
-- audience: B, N
-- param: words text
-- param: most int = 50
-- columns: asset_id, asset_tag, name, manufacturer, model, status, facility, rank
-- notes: One row an asset, best first: a word in the name counts most, one in the notes least.
--        "quoted words" stand together, -word must be absent, or is or. Without regard to accents;
--        an English ending (pumps) does not matter.
select
    register.asset_id,
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.status,
    register.facility,
    round(found.rank::numeric, 4) as rank
from app.find_words(%(words)s::text, %(most)s::int) as found
join reporting.v_asset_register as register on register.asset_id = found.asset_id
order by found.rank desc, register.name, register.asset_tag
