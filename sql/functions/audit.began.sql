-- Since when there is an audit trail in this database.
create or replace function audit.began() returns timestamptz
language sql stable security definer
set search_path = pg_catalog
as $$
    select applied_at - duration_ms * interval '1 millisecond'
    from ops.migration
    where path = 'migrations/0019_audit.sql'
$$;
comment on function audit.began() is 'When the audit trail was put in place.';
grant execute on function audit.began() to biotrakr_app, biotrakr_backup;
