-- Row trigger of every table of a tenant, deferred to commit. Takes the table's name as an argument:
-- TG_TABLE_NAME would be a chunk's on a hypertable.
create or replace function audit.record() returns trigger
language plpgsql security definer
set search_path = pg_catalog
set timezone = 'UTC'
as $$
declare
    -- Follows from other columns.
    derived constant text[] := array['search_text', 'search_words'];
    -- Changes with every change.
    stamps constant text[] := array['updated_at', 'updated_by', 'version'];
    was jsonb;
    became jsonb;
    columns text[] := '{}';
    what text := tg_op;
    organization uuid;
begin
    if tg_op <> 'INSERT' then
        was := to_jsonb(old) - derived;
    end if;
    if tg_op <> 'DELETE' then
        became := to_jsonb(new) - derived;
    end if;
    organization := coalesce(
        became ->> 'organization_id', was ->> 'organization_id',
        became ->> 'id', was ->> 'id' -- registry.organization itself
    )::uuid;
    if tg_op = 'UPDATE' then
        select coalesce(array_agg(key order by key), '{}') into columns
        from jsonb_each(became) as now_is (key, value)
        where now_is.value is distinct from was -> now_is.key and key <> all (stamps);
        what := case
            when not was ? 'deleted_at' or not 'deleted_at' = any (columns) then 'UPDATE'
            when became ->> 'deleted_at' is null then 'RESTORE'
            when was ->> 'deleted_at' is null then 'SOFT_DELETE'
            else 'UPDATE'
        end;
        select jsonb_object_agg(key, was -> key), jsonb_object_agg(key, became -> key)
        into was, became
        from unnest(columns || array['version']) as key
        where became ? key;
        perform audit.append(
            organization, what, tg_argv[0], new.id, (became ->> 'version')::integer,
            was, became, columns, null
        );
        return null;
    end if;
    perform audit.append(
        organization, what, tg_argv[0], (coalesce(became, was) ->> 'id')::uuid,
        (coalesce(became, was) ->> 'version')::integer,
        jsonb_strip_nulls(was), jsonb_strip_nulls(became), columns, null
    );
    return null;
end
$$;
comment on function audit.record() is 'Deferred row trigger: audit.log of the table in its argument.';
