-- Late reads change history. The batches as they came are kept for a while, and with them the state
-- of every building from time to time: from the two any stretch of history is computed again.

create table pipeline.raw_batch (
    at timestamptz not null,
    gateway_id uuid not null,
    boot text not null,
    sequence bigint not null,
    building_id uuid not null,
    first_at timestamptz not null,
    until_at timestamptz not null,
    reads integer not null check (reads > 0),
    payload bytea not null,
    -- Of two messages with the same number the first one counts.
    primary key (gateway_id, boot, sequence, at),
    check (first_at <= at)
);
comment on table pipeline.raw_batch is
    'Read batches as they came, one row a message, for hours or days: what history is made of.';
comment on column pipeline.raw_batch.at is 'Event time of the newest read in it.';
comment on column pipeline.raw_batch.first_at is 'Event time of the oldest read in it.';
comment on column pipeline.raw_batch.until_at is
    'The gateway promised not to send anything older after it.';
-- Dense columns hardly compress, and reading them back is rare: do not spend the time.
alter table pipeline.raw_batch alter column payload set storage external;
select public.create_hypertable(
    'pipeline.raw_batch', 'at',
    chunk_time_interval => interval '1 hour',
    associated_schema_name => 'chunks',
    create_default_indexes => false
);
-- A building's batches over a range of time.
create index raw_batch_building on pipeline.raw_batch (building_id, at);

create table pipeline.checkpoint (
    building_id uuid not null,
    at timestamptz not null,
    state bytea not null,
    primary key (building_id, at)
);
comment on table pipeline.checkpoint is
    'The state of a building when every window up to a time was closed; history resumes from it.';
alter table pipeline.checkpoint alter column state set storage external;

create table pipeline.revision (
    id integer generated always as identity primary key,
    building_id uuid not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    cause text not null check (cause in ('late', 'asked')),
    recorded_at timestamptz not null default clock_timestamp(),
    batches bigint not null,
    reads bigint not null,
    windows bigint not null,
    positions_removed bigint not null,
    positions_written bigint not null,
    room_visits_changed bigint not null,
    zone_visits_changed bigint not null,
    sessions_changed bigint not null,
    late_alerts bigint not null,
    check (from_at < until_at)
);
comment on table pipeline.revision is
    'One row each time a stretch of history was computed again, and what that changed.';
-- What has been rewritten in this building?
create index revision_building on pipeline.revision (building_id, from_at);

alter table pipeline.late_batch
    add column first_at timestamptz,
    add column last_at timestamptz,
    add column settled_at timestamptz,
    add column revision integer,
    add column note text;
comment on column pipeline.late_batch.first_at is 'Event time of its oldest late read.';
comment on column pipeline.late_batch.last_at is 'Event time of its newest late read.';
comment on column pipeline.late_batch.settled_at is 'When it was dealt with; null: it waits.';
comment on column pipeline.late_batch.revision is
    'The pipeline.revision that took it in; null: see note.';
-- What waits: nearly empty, however long the history.
create index late_batch_waiting on pipeline.late_batch (building_id) where settled_at is null;

-- 0: as it was first written; else the pipeline.revision that wrote the row.
alter table telemetry.location_history add column revision integer not null default 0;
alter table tracking.room_visit add column revision integer not null default 0;
alter table tracking.zone_visit add column revision integer not null default 0;
alter table tracking.usage_session add column revision integer not null default 0;
alter table pipeline.window_commit add column revision integer not null default 0;
comment on column telemetry.location_history.revision is
    '0: as first written; else the pipeline.revision that wrote the row.';
comment on column tracking.room_visit.revision is
    '0: as first written; else the pipeline.revision that wrote the row.';
comment on column tracking.zone_visit.revision is
    '0: as first written; else the pipeline.revision that wrote the row.';
comment on column tracking.usage_session.revision is
    '0: as first written; else the pipeline.revision that wrote the row.';
comment on column pipeline.window_commit.revision is
    '0: as first written; else the pipeline.revision that wrote the row.';

-- What the dataflow decides after a revision may have begun inside the revised stretch: it then
-- begins where that ends. Nearly empty indexes make the question cheap.
create index room_visit_revised on tracking.room_visit (left_at) where revision > 0;
create index zone_visit_revised on tracking.zone_visit (left_at) where revision > 0;
create index usage_session_revised on tracking.usage_session (ended_at) where revision > 0;
-- The dataflow says which building: then there is nothing to fill in.
drop trigger fill_building on tracking.room_visit;
create trigger fill_building before insert on tracking.room_visit
    for each row when (new.building_id is null) execute function tracking.fill_building();

grant select, insert, update on pipeline.raw_batch, pipeline.checkpoint to biotrakr_ingest;
-- What is too old to be of use.
grant delete on pipeline.checkpoint to biotrakr_ingest;
-- Only the revision of history takes rows away; the dataflow itself never does.
grant select, insert, update on pipeline.revision to biotrakr_backfill;
grant delete on telemetry.location_history, tracking.room_visit, tracking.zone_visit,
    tracking.usage_session to biotrakr_backfill;
grant select on pipeline.raw_batch, pipeline.checkpoint, pipeline.revision to biotrakr_backup;
grant select on all sequences in schema pipeline to biotrakr_backup;
