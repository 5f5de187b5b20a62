-- The link of the chain: the hash before it, and everything a row of audit.log says except its own
-- hash, as to_jsonb gives it with time zone UTC. Changing this breaks every chain there is.
create or replace function audit.digest(previous bytea, entry jsonb) returns bytea
language sql immutable parallel safe
set search_path = pg_catalog
as $$ select sha256(coalesce(previous, '\x') || convert_to(entry::text, 'UTF8')) $$;
comment on function audit.digest(bytea, jsonb) is
    'SHA-256 of the previous hash and of a row of audit.log.';
