-- Row trigger of every table of a tenant: who made, changed and deleted a row is what the session
-- says (app.user_id), not what the statement says. A migration of data that knows better may give
-- created_by with an insert.
create or replace function registry.stamp() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    acting constant uuid := app.current_user_id();
begin
    if tg_op = 'INSERT' then
        new.created_by := coalesce(new.created_by, acting);
        new.updated_by := coalesce(new.updated_by, new.created_by);
        return new;
    end if;
    new.created_by := coalesce(old.created_by, new.created_by);
    new.updated_by := coalesce(acting, new.updated_by);
    if tg_argv[0] is distinct from 'history' then
        if new.deleted_at is null then
            new.deleted_by := null;
        elsif old.deleted_at is null then
            new.deleted_by := coalesce(acting, new.deleted_by);
        end if;
    end if;
    return new;
end
$$;
comment on function registry.stamp() is
    'Row trigger: created_by, updated_by, deleted_by; "history": of a table without deletion.';
