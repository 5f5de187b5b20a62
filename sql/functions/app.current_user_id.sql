-- On whose behalf this session acts: set local app.user_id = '<uuid of registry.user_account>'.
create or replace function app.current_user_id() returns uuid
language sql stable parallel safe
set search_path = pg_catalog
as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
grant execute on function app.current_user_id()
    to biotrakr_analyst, biotrakr_app, biotrakr_ingest, biotrakr_backfill, biotrakr_backup;
comment on function app.current_user_id() is 'The user this session acts for; NULL: not said.';
