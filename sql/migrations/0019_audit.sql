-- Who did what: the audit trail and its review; the state of other systems; retention.

create table audit.log (
    organization_id uuid not null,
    sequence bigint not null check (sequence >= 1),
    at timestamptz not null,
    login text not null,
    role text not null,
    user_id uuid,
    client text,
    request_id text,
    reason text,
    action text not null check (action in (
        'INSERT', 'UPDATE', 'DELETE', 'SOFT_DELETE', 'RESTORE', 'EXPORT', 'READ', 'RETENTION'
    )),
    relation text not null,
    row_id uuid,
    version integer,
    before jsonb,
    after jsonb,
    changed text[] not null default '{}',
    hash bytea not null check (octet_length(hash) = 32),
    -- The chain of an organization has no gap.
    primary key (organization_id, sequence)
);
comment on table audit.log is
    'Every change of a tenant''s tables, one row each; rows are only added. An update keeps the '
    'columns that changed, an insert or delete the whole row.';
comment on column audit.log.login is 'The session''s login; role: what it had taken on.';
comment on column audit.log.user_id is 'The setting app.user_id: on whose behalf.';
comment on column audit.log.client is 'Address and application name of the connection.';
comment on column audit.log.request_id is 'The setting app.request_id.';
comment on column audit.log.reason is 'The setting app.reason.';
comment on column audit.log.row_id is 'Of the changed row.';
comment on column audit.log.hash is
    'SHA-256 of the hash before it in the organization''s chain and of this row.';
-- The life of a record.
create index log_row on audit.log (organization_id, relation, row_id, sequence);
-- Changes over a range of time.
create index log_at on audit.log (organization_id, at);
-- What a person did.
create index log_user on audit.log (organization_id, user_id, at);
-- The few that are no changes: exports, reads, retention.
create index log_access on audit.log (organization_id, at)
    where action in ('EXPORT', 'READ', 'RETENTION');

create table audit.review (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    reviewed_at timestamptz not null default now(),
    reviewer_id uuid,
    from_at timestamptz not null,
    until_at timestamptz not null,
    head_sequence bigint,
    head_hash bytea check (octet_length(head_hash) = 32),
    finding text not null check (finding <> ''),
    foreign key (organization_id) references registry.organization (id),
    foreign key (organization_id, reviewer_id)
        references registry.user_account (organization_id, id),
    constraint review_covers_a_time check (until_at > from_at)
);
comment on table audit.review is
    'Somebody examined the trail of a stretch of time. The head noted then is an anchor: a chain '
    'that was cut off or written anew does not reach it.';
call ops.finish_table('audit.review', 'organization', append_only => true);
-- Days without a review.
create index review_until on audit.review (organization_id, until_at);

alter table audit.log enable row level security;
alter table audit.log force row level security;
create policy tenant on audit.log to biotrakr_analyst, biotrakr_app
    using (organization_id = (select app.current_org()));
-- The trigger writes as the owner, for whichever organization the row is.
create policy writer on audit.log to biotrakr_owner using (true) with check (true);
grant select on audit.log to biotrakr_analyst, biotrakr_app, biotrakr_backup;
revoke update, delete, truncate on audit.log from biotrakr_owner;
revoke delete, truncate on audit.review from biotrakr_owner;
create trigger append_only before update or delete or truncate on audit.log
    for each statement execute function audit.refuse();
create trigger append_only before update or delete or truncate on audit.review
    for each statement execute function audit.refuse();

create table registry.external_system (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    kind text not null check (kind in ('EHR', 'CMMS', 'ERP', 'FHIR', 'OTHER')),
    name text not null,
    base_url app.content_url,
    owned_fields text[] not null default '{}',
    credential_name text
);
comment on table registry.external_system is
    'Another system of the organization; owned_fields are never written back to it.';
comment on column registry.external_system.credential_name is
    'Where the secret lies (a name in the secret store), never the secret.';
call ops.finish_table('registry.external_system', 'organization');
-- Finds a system by its code and keeps codes apart.
create unique index external_system_code on registry.external_system (organization_id, code)
    where deleted_at is null;

create table registry.external_sync (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    system_id uuid not null,
    asset_id uuid not null,
    external_id text not null check (length(external_id) between 1 and 100),
    url app.content_url,
    status app.sync_status not null default 'PENDING',
    last_synced_at timestamptz,
    last_attempt_at timestamptz,
    attempts integer not null default 0 check (attempts >= 0),
    error text,
    foreign key (organization_id, system_id)
        references registry.external_system (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id)
);
comment on table registry.external_sync is 'What an asset is called in another system, and how fresh.';
call ops.finish_table('registry.external_sync', 'asset');
-- Looks an asset up by the other system's id, and keeps these apart.
create unique index external_sync_id
    on registry.external_sync (organization_id, system_id, external_id) where deleted_at is null;
-- An asset is in a system once.
create unique index external_sync_asset
    on registry.external_sync (organization_id, asset_id, system_id) where deleted_at is null;
-- What failed or waits.
create index external_sync_waiting on registry.external_sync (organization_id, status)
    where status in ('PENDING', 'FAILED');

create table ops.retention_policy (
    relation text primary key,
    time_column text not null,
    keep interval not null check (keep >= interval '1 hour'),
    summary text,
    reason text not null,
    last_run_at timestamptz,
    last_outcome text,
    chunks_dropped bigint not null default 0
);
comment on table ops.retention_policy is
    'How long hypertables are kept. The housekeeper of every pipeline process sees to it, on both '
    'editions; no TimescaleDB policy does, for two owners are none.';
comment on column ops.retention_policy.summary is
    'Dropped only where this capability (ops.capability) keeps what outlives it; null: always.';
insert into ops.retention_policy (relation, time_column, keep, summary, reason) values
    (
        'telemetry.location_history', 'ts', '90 days', 'continuous_aggregate_hourly',
        'hours and visits outlive it'
    ),
    (
        'telemetry.sensor_reading', 'ts', '1 year', 'continuous_aggregate_sensor_hourly',
        'hours outlive it'
    ),
    ('telemetry.usage_log', 'ts', '10 years', null, 'use over the life of an asset'),
    ('telemetry.prediction_score', 'ts', '5 years', null, 'models are judged by it');
grant select on ops.retention_policy to biotrakr_backup;
