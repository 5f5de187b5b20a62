-- role: session
--
-- What must stand before the first migration: extensions, roles, schemas and the runner's own
-- book. It runs at every migrate, because roles belong to the cluster and a restored database
-- may meet a cluster without them; where all is in place it changes nothing.

create extension if not exists btree_gist; -- exclusion constraints over (uuid, range)
create extension if not exists pg_trgm; -- "siemns" finds Siemens
create extension if not exists unaccent; -- "Drager" finds Dräger
create extension if not exists pgcrypto; -- encryption of the columns that registry marks for it
-- Loads its library, which knows the settings that a function may fix for itself: without it only a
-- superuser may name them, and functions are made by the owner.
do $$ begin perform public.show_limit(); end $$;

do $$
declare
    missing record;
begin
    for missing in
        select wanted.name, wanted.attributes
        from (values
            ('biotrakr_owner', ''),    -- owns every object; nobody logs in as it
            ('biotrakr_ingest', ''),   -- the dataflow: writes positions and events of all tenants
            ('biotrakr_backfill', ''), -- revises history: the same, and takes rows away
            ('biotrakr_analyst', ''),  -- reads the views of one organization
            ('biotrakr_app', ''),      -- maintains the registry of one organization
            ('biotrakr_backup', 'bypassrls') -- pg_dump --role=biotrakr_backup: all rows, read only
        ) as wanted (name, attributes)
        where not exists (select from pg_roles where rolname = wanted.name)
    loop
        begin
            execute format('create role %I nologin %s', missing.name, missing.attributes);
        exception
            -- Another database of this cluster is being migrated and was faster.
            when duplicate_object or unique_violation then null;
            -- A managed service may keep bypassrls to itself; only the backup role wants it.
            when insufficient_privilege then
                execute format('create role %I nologin', missing.name);
                raise warning 'role % lacks %: grant it, or back up as a superuser',
                    missing.name, missing.attributes;
        end;
    end loop;
    if not pg_has_role(current_user, 'biotrakr_owner', 'set') then
        execute format('grant biotrakr_owner to %I with set true', current_user);
    end if;
    if not pg_has_role('biotrakr_backfill', 'biotrakr_ingest', 'usage') then
        begin
            grant biotrakr_ingest to biotrakr_backfill;
        exception
            -- The migration of another database of this cluster is doing the same.
            when internal_error or unique_violation then null;
        end;
    end if;
end
$$;

create schema if not exists app authorization biotrakr_owner;
create schema if not exists registry authorization biotrakr_owner;
create schema if not exists maintenance authorization biotrakr_owner;
create schema if not exists compliance authorization biotrakr_owner;
create schema if not exists finance authorization biotrakr_owner;
create schema if not exists prediction authorization biotrakr_owner;
create schema if not exists audit authorization biotrakr_owner;
create schema if not exists tracking authorization biotrakr_owner;
create schema if not exists telemetry authorization biotrakr_owner;
create schema if not exists chunks authorization biotrakr_owner;
create schema if not exists pipeline authorization biotrakr_owner;
create schema if not exists reporting authorization biotrakr_owner;
create schema if not exists ops authorization biotrakr_owner;

set local role biotrakr_owner;

-- A new function is nobody's until it is granted: PUBLIC would include every tenant.
alter default privileges revoke execute on functions from public;

create table if not exists ops.migration (
    path text primary key,
    kind text not null check (kind in ('migration', 'function', 'feature', 'view')),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz not null default clock_timestamp(),
    applied_by text not null default session_user,
    duration_ms integer not null
);
comment on table ops.migration is
    'What the runner applied, with the hash of what it read; a released migration never changes.';

create table if not exists ops.capability (
    name text primary key,
    available boolean not null,
    detail text not null,
    checked_at timestamptz not null
);
comment on table ops.capability is
    'What this edition of TimescaleDB can do here, asked again at every migrate.';

comment on schema app is 'Helper functions that policies and views call.';
comment on schema registry is 'Master data; row security by organization.';
comment on schema maintenance is
    'Schedules, work orders, parts, calibration; row security by organization.';
comment on schema compliance is
    'Inspections, recalls, incidents, certificates, training; row security by organization.';
comment on schema finance is
    'Books, costs, benefits, rentals, disposals; row security by organization.';
comment on schema prediction is
    'Models of failure, what they said and what came of it; row security by organization.';
comment on schema audit is
    'Who changed what when, chained by hashes; rows are only added.';
comment on schema tracking is
    'Where things are, visits, sessions, alerts; row security by organization.';
comment on schema telemetry is 'Hypertables; out of the reach of tenants, read through reporting.';
comment on schema chunks is 'The chunks of the hypertables and nothing else; no tenant may use it.';
comment on schema pipeline is 'The dataflow''s own books; no tenants.';
comment on schema reporting is 'What analysts read: views only.';
comment on schema ops is 'Migrations and capabilities.';
