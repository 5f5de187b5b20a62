-- Row trigger of every master: counts the version and keeps the stamps honest. The lock itself is
-- the client's "where id = $1 and version = $2"; sending another version than the row's is refused.
create or replace function registry.touch() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    if new.version is distinct from old.version then
        raise exception '% % is at version %, not %: somebody else changed it',
            tg_table_name, old.id, old.version, new.version
            using errcode = 'serialization_failure';
    end if;
    new.version := old.version + 1;
    new.created_at := old.created_at;
    new.updated_at := now();
    return new;
end
$$;
comment on function registry.touch() is 'Row trigger: version, updated_at.';
