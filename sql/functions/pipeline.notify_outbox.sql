-- Wakes the publisher when the transaction commits; it polls as well, so a lost one costs seconds.
create or replace function pipeline.notify_outbox() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    perform pg_notify('biotrakr_outbox', '');
    return null;
end
$$;
comment on function pipeline.notify_outbox() is 'Statement trigger: NOTIFY biotrakr_outbox.';
