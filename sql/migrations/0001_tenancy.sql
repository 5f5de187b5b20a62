-- Who may come in: schemas for each role, organizations, and logins confined to some of them.

grant usage on schema reporting, app to biotrakr_analyst, biotrakr_app, biotrakr_backup;
grant usage on schema registry, tracking to biotrakr_app, biotrakr_ingest, biotrakr_backup;
grant usage on schema telemetry, pipeline to biotrakr_ingest, biotrakr_backup;
-- Chunks are reached through their hypertable, which needs no right on this schema. Only pg_dump
-- names them. Row security and views do not cover a chunk that is named directly.
grant usage on schema chunks, ops to biotrakr_backup;

create table registry.organization (
    id uuid primary key,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (name <> ''),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1
);
comment on table registry.organization is 'A tenant. Its code is the first level of every topic.';
-- The only code that must be unique in the whole installation: topics start with it.
create unique index organization_code on registry.organization (code) where deleted_at is null;

-- Not a tenant table: no tenant may read it, and app.current_org() must without asking itself.
create table app.login_organization (
    login name not null,
    organization_id uuid not null references registry.organization (id),
    primary key (login, organization_id)
);
comment on table app.login_organization is
    'To which organizations a login is confined that is a member of biotrakr_analyst only.';

alter table registry.organization enable row level security;
alter table registry.organization force row level security;
create policy tenant on registry.organization
    to biotrakr_owner, biotrakr_analyst, biotrakr_app
    using (id = (select app.current_org()))
    with check (id = (select app.current_org()));
create policy ingest on registry.organization
    to biotrakr_ingest using (true) with check (true);

grant select on registry.organization to biotrakr_analyst, biotrakr_ingest;
grant select, insert, update on registry.organization to biotrakr_app;
