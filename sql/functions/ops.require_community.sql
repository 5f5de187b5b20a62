-- First line of a feature that only the Community edition has: says no before anything is locked
-- or dropped. Some of its functions accept a call on an empty table and fail later, so the licence
-- is asked rather than probed.
create or replace function ops.require_community() returns void
language plpgsql stable
set search_path = pg_catalog
as $$
begin
    if current_setting('timescaledb.license', true) is distinct from 'timescale' then
        raise exception 'needs the Community edition of TimescaleDB; this is the % edition',
            coalesce(initcap(current_setting('timescaledb.license', true)), 'unknown')
            using errcode = 'feature_not_supported';
    end if;
end
$$;
comment on function ops.require_community() is 'Raises 0A000 on the Apache edition.';
