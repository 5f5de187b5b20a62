-- Statement trigger of registry.asset: what is searched of it. With the owner's rights, for no tenant
-- has any on the tables of the search.
create or replace function registry.index_assets() returns trigger
language plpgsql security definer
set search_path = pg_catalog
as $$
begin
    if tg_op = 'UPDATE' then
        delete from app.asset_search as known
        using new_rows
        where known.asset_id = new_rows.id and new_rows.deleted_at is not null;
    end if;
    insert into app.asset_search as known (asset_id, organization_id, search_words)
    select id, organization_id, search_words
    from new_rows
    where deleted_at is null
    on conflict (asset_id) do update set search_words = excluded.search_words
    where known.search_words is distinct from excluded.search_words;
    insert into app.search_word (organization_id, word)
    select distinct changed.organization_id, part.word
    from new_rows as changed
    cross join lateral unnest(
        tsvector_to_array(to_tsvector('simple'::regconfig, changed.search_text))
    ) as part (word)
    where not exists (
        select from app.search_word as known
        where known.organization_id = changed.organization_id and known.word = part.word
    );
    return null;
end
$$;
comment on function registry.index_assets() is
    'Statement trigger: app.asset_search and app.search_word.';
