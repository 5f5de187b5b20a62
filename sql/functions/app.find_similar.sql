-- The assets whose name, maker or model looks like `words`, best first: each word is compared with
-- the words there are, then assets are found that have the likest ones. similarity, 0 to 1, is the
-- mean over the words asked for; one that resembles nothing counts 0.
--
-- With the owner's rights, so that indexes are used; for the present organization only, and of that
-- what row security shows of registry.asset.
create or replace function app.find_similar(words text, threshold double precision, most integer)
returns table (asset_id uuid, similarity real)
language plpgsql stable security definer
set search_path = pg_catalog
set pg_trgm.word_similarity_threshold = 0.4
as $$
#variable_conflict use_column
declare
    tenant constant uuid := app.current_org();
    -- Eight words are enough for a name, and bound the work.
    asked constant text[] := (
        tsvector_to_array(to_tsvector('simple'::regconfig, app.fold(left(words, 200))))
    )[1:8];
    wanted record;
    one record;
    found uuid[] := '{}';
begin
    perform set_config(
        'pg_trgm.word_similarity_threshold', least(greatest(threshold, 0.1), 1)::text, true
    );
    for wanted in
        with recursive alike as (
            select one.place, near.likeness,
                ('''' || replace(replace(near.word, '\', '\\'), '''', '''''') || ''':AB')::tsquery
                    as query,
                dense_rank() over (order by one.place) as step
            from unnest(asked) with ordinality as one (text, place)
            cross join lateral (
                select known.word, max(public.word_similarity(one.text, known.word)) as likeness
                from app.search_word as known
                where known.organization_id = tenant
                    and known.word operator (public.%>) one.text
                group by known.word
                -- Of equally like ones the shorter is the closer.
                order by 2 desc, length(known.word), known.word
                limit 3
            ) as near
        ),
        combined (step, query, total) as (
            select 0::bigint, null::tsquery, 0::double precision
            union all
            select alike.step,
                coalesce(combined.query && alike.query, alike.query),
                combined.total + alike.likeness
            from combined
            join alike on alike.step = combined.step + 1
        )
        select combined.query, (combined.total / cardinality(asked))::real as mean
        from combined
        where combined.step = (select max(alike.step) from alike)
            and combined.total / cardinality(asked) >= threshold
        order by mean desc
        limit 100
    loop
        for one in
            select asset.id
            from app.asset_search as entry
            join registry.asset on asset.id = entry.asset_id and asset.deleted_at is null
            where entry.organization_id = tenant
                and entry.search_words @@ wanted.query
                and entry.asset_id <> all (found)
            limit most - cardinality(found)
        loop
            asset_id := one.id;
            similarity := wanted.mean;
            found := found || one.id;
            return next;
        end loop;
        exit when cardinality(found) >= most;
    end loop;
end
$$;
comment on function app.find_similar(text, double precision, integer) is
    'Assets of the present organization by likeness of name, maker and model; best first.';
grant execute on function app.find_similar(text, double precision, integer) to biotrakr_analyst, biotrakr_app;
