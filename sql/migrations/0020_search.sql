-- The search. Its operators are not leakproof, so under row security no index would be used; hence
-- a copy of what is searched, out of tenants' reach, that app.find_similar and app.find_words ask
-- for one organization at a time.
create table app.asset_search (
    asset_id uuid primary key,
    organization_id uuid not null,
    search_words tsvector not null,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id)
);
comment on table app.asset_search is
    'What is searched of every live asset, by trigger; no tenant may read it.';
-- Full-text search, ranked.
create index asset_search_words on app.asset_search using gin (search_words);
-- All of an organization, where the words would match half of it.
create index asset_search_organization on app.asset_search (organization_id);

-- Misspelt words are compared with the words there are (thousands), not with every asset. No unique
-- key: two writers of a new word shall not wait for each other, and a word that is there twice, or
-- whose assets are gone, does no harm.
create table app.search_word (
    organization_id uuid not null,
    word text not null
);
comment on table app.search_word is
    'The words in names, makers and models of an organization''s assets; no tenant may read it.';
-- Is this word known?
create index search_word_known on app.search_word (organization_id, word);
-- Words that look alike: "siemns" and "siemens".
create index search_word_trigrams on app.search_word using gin (word public.gin_trgm_ops);
grant select on app.asset_search, app.search_word to biotrakr_backup;

create trigger search_insert after insert on registry.asset
    referencing new table as new_rows
    for each statement execute function registry.index_assets();
create trigger search_update after update on registry.asset
    referencing new table as new_rows
    for each statement execute function registry.index_assets();
-- What is there already. The owner is under row security too, and names no organization here.
alter table registry.asset no force row level security;
insert into app.asset_search (asset_id, organization_id, search_words)
select id, organization_id, search_words from registry.asset where deleted_at is null;
insert into app.search_word (organization_id, word)
select distinct asset.organization_id, word
from registry.asset
cross join lateral unnest(
    tsvector_to_array(to_tsvector('simple'::regconfig, asset.search_text))
) as word;
alter table registry.asset force row level security;
