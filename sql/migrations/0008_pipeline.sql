-- The dataflow's own books: how far it has come, what it must still publish, what it refused.
-- No tenant has a right here. No foreign keys: a row of bookkeeping must never stop a window.

create table pipeline.progress (
    building_id uuid primary key,
    window_end timestamptz not null
);
comment on table pipeline.progress is
    'High-water mark: windows up to here are written. Changes in the transaction that writes them.';

create table pipeline.window_commit (
    building_id uuid not null,
    window_end timestamptz not null,
    window_start timestamptz not null,
    reads bigint not null,
    positions integer not null,
    late integer not null,
    duplicates integer not null,
    committed_at timestamptz not null default clock_timestamp(),
    primary key (building_id, window_end),
    check (window_start < window_end)
);
comment on table pipeline.window_commit is 'One row a written window: what went in and came out.';
comment on column pipeline.window_commit.committed_at is
    'Wall clock; minus window_end it is the delay from hearing to storing.';

create table pipeline.gateway_progress (
    gateway_id uuid not null,
    boot text not null check (boot ~ '^[0-9a-f]{8,64}$'),
    sequence bigint not null check (sequence >= 0),
    until timestamptz not null,
    primary key (gateway_id, boot)
);
comment on table pipeline.gateway_progress is
    'Highest contiguous batch of a gateway''s boot that is stored: what may be acknowledged.';
comment on column pipeline.gateway_progress.until is 'No later batch holds a read older than this.';

create table pipeline.gateway_status (
    gateway_id uuid primary key,
    organization_id uuid not null,
    state text not null check (state in ('online', 'offline')),
    at timestamptz not null,
    payload jsonb not null
);
comment on table pipeline.gateway_status is 'The newest status message of each gateway.';
-- A tenant's gateways, for reporting.gateway_health.
create index gateway_status_organization on pipeline.gateway_status (organization_id);

create table pipeline.outbox (
    id bigint generated always as identity primary key,
    key text not null unique, -- deterministic, so a replay adds nothing
    topic text not null,
    payload bytea not null,
    qos smallint not null default 1 check (qos between 0 and 2),
    retain boolean not null default false,
    created_at timestamptz not null default clock_timestamp(),
    published_at timestamptz,
    attempts integer not null default 0
);
comment on table pipeline.outbox is
    'Messages that are durable before they are published; published in the order of id.';
-- What is still to be published: nearly empty, however long the history.
create index outbox_unpublished on pipeline.outbox (id) where published_at is null;
create trigger notify after insert on pipeline.outbox
    for each statement execute function pipeline.notify_outbox();

create table pipeline.dead_letter (
    topic text not null,
    reason text not null,
    sha256 bytea not null check (octet_length(sha256) = 32),
    detail text not null,
    payload bytea not null check (octet_length(payload) <= 65536),
    bytes bigint not null,
    times bigint not null default 1,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (topic, reason, sha256)
);
comment on table pipeline.dead_letter is
    'Messages that were refused, with the reason; the same one again only counts.';
comment on column pipeline.dead_letter.payload is 'At most its first 64 KiB.';
comment on column pipeline.dead_letter.bytes is 'How long it was.';
comment on column pipeline.dead_letter.sha256 is 'Of the whole payload.';

create table pipeline.late_batch (
    gateway_id uuid not null,
    boot text not null,
    sequence bigint not null,
    building_id uuid not null,
    late_reads integer not null check (late_reads > 0),
    payload bytea not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (gateway_id, boot, sequence)
);
comment on table pipeline.late_batch is
    'Batches with reads that came after their window: from these, history is recomputed.';
-- The recomputation takes a building's batches in the order they came.
create index late_batch_building on pipeline.late_batch (building_id, recorded_at);

create table pipeline.unknown_tag (
    facility_id uuid not null,
    tag text not null,
    organization_id uuid not null,
    building_id uuid not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    reads bigint not null,
    primary key (facility_id, tag)
);
comment on table pipeline.unknown_tag is 'Tags that were heard and that no asset wears.';

grant select, insert, update on all tables in schema pipeline to biotrakr_ingest;
-- Published messages are swept after a while; everything else here is kept.
grant delete on pipeline.outbox to biotrakr_ingest;
grant select on all tables in schema pipeline, ops to biotrakr_backup;
grant select on all sequences in schema pipeline to biotrakr_backup;
