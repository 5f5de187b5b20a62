-- The assets with these words, best first (a word in the name counts most); rights as
-- app.find_similar. "quoted words" stand together, -word must be absent, or is or.
create or replace function app.find_words(words text, most integer)
returns table (asset_id uuid, rank real)
language plpgsql stable security definer
set search_path = pg_catalog
as $$
#variable_conflict use_column
declare
    asked constant tsquery := websearch_to_tsquery('english', app.fold(left(words, 200)))
        || websearch_to_tsquery('simple', app.fold(left(words, 200)));
begin
    return query
    select found.asset_id, ts_rank(found.search_words, asked) as rank
    from app.asset_search as found
    join registry.asset on asset.id = found.asset_id and asset.deleted_at is null
    where found.organization_id = (select app.current_org())
        and found.search_words @@ asked
    order by 2 desc, asset.name, asset.tag_number
    limit most;
end
$$;
comment on function app.find_words(text, integer) is
    'Assets of the present organization by full-text search; best first.';
grant execute on function app.find_words(text, integer) to biotrakr_analyst, biotrakr_app;
