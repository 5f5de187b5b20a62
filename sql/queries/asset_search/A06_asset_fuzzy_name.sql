-- name: A06 asset_fuzzy_name
-- title: Which assets have a name, maker or model that looks like this misspelt one?
-- audience: N
-- param: text text
-- param: threshold numeric = 0.3
-- param: most int = 20
-- columns: asset_id, asset_tag, name, manufacturer, model, facility, similarity
-- notes: One row an asset, best first. similarity is that of the best part of "name maker model",
--        0 to 1, by trigrams: siemns finds Siemens. A lower threshold (0.1 at least) finds more and
--        worse.
select
    register.asset_id,
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.facility,
    round(found.similarity::numeric, 3) as similarity
from app.find_similar(%(text)s::text, %(threshold)s::numeric::real, %(most)s::int) as found
join reporting.v_asset_register as register on register.asset_id = found.asset_id
order by found.similarity desc, register.name, register.asset_tag
