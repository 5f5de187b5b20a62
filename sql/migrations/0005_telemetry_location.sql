-- The position history: one row an asset and window. Written by binary COPY that is built in numpy,
-- so the order and the fixed widths of the columns are a contract.
--
-- No row security (it would forbid compression and continuous aggregates), so no tenant has any
-- right here; they read reporting.location_history. No foreign keys: they halve the ingest, and
-- drop_chunks would lock every table they point at. No triggers: the table is the log.

create table telemetry.location_history (
    organization_id uuid not null,
    asset_id uuid not null,
    building_id uuid not null,
    ts timestamptz not null,
    floor_id uuid,
    room_id uuid,
    x_m real,
    y_m real,
    z_m real,
    accuracy_m real,
    cov_xx real,
    cov_xy real,
    cov_yy real,
    room_confidence real,
    method smallint not null,
    reason smallint not null,
    receivers smallint not null,
    reads integer not null,
    moving boolean not null,
    -- The natural key: writing a window twice cannot double it. Also the trail of one asset.
    primary key (asset_id, ts, building_id)
);
comment on table telemetry.location_history is 'Where every asset was at the end of every window.';
comment on column telemetry.location_history.ts is 'End of the window, event time.';
comment on column telemetry.location_history.accuracy_m is
    'Radius around (x, y) that holds the truth 90 % of the time.';
comment on column telemetry.location_history.cov_xx is 'Covariance of the position, m2.';
comment on column telemetry.location_history.room_confidence is 'Probability of room_id, 0 to 1.';
comment on column telemetry.location_history.method is 'telemetry.location_method';
comment on column telemetry.location_history.reason is 'telemetry.location_reason';
comment on column telemetry.location_history.receivers is 'How many receivers heard it.';
comment on column telemetry.location_history.reads is 'How many reads the window held.';

select public.create_hypertable(
    'telemetry.location_history', 'ts',
    chunk_time_interval => interval '7 days',
    associated_schema_name => 'chunks',
    create_default_indexes => false
);
-- A tenant's reports over a range of time; also tells how far back the data goes.
create index location_history_organization on telemetry.location_history (organization_id, ts);

-- Look-ups rather than CHECKs on the hypertable: a new code needs no rewrite of ten years.
create table telemetry.location_method (
    code smallint primary key,
    name text not null unique
);
comment on table telemetry.location_method is 'How a position came about.';
insert into telemetry.location_method (code, name) values
    (0, 'unknown'),
    (1, 'solve'),
    (2, 'held'),
    (3, 'centroid'),
    (4, 'portal'),
    (5, 'scan'),
    (6, 'gps');

create table telemetry.location_reason (
    code smallint primary key,
    name text not null unique,
    description text not null
);
comment on table telemetry.location_reason is 'Why a position is what it is.';
insert into telemetry.location_reason (code, name, description) values
    (0, 'none', 'nothing to say'),
    (1, 'first_sight', 'the first window in which the asset was heard'),
    (2, 'still_explained', 'the last position still explains the reads; it was not solved again'),
    (3, 'moved', 'the last position no longer explains the reads'),
    (4, 'portal_read', 'a short-range reader heard it'),
    (5, 'few_receivers', 'too few receivers for a solution'),
    (6, 'on_bound', 'the solution lies on the edge of the building'),
    (7, 'floor_changed', 'another floor won'),
    (8, 'room_changed', 'another room won');

grant select, insert, update on telemetry.location_history to biotrakr_ingest;
-- No usage on the schema goes with it: analysts meet the names through their views.
grant select on telemetry.location_method, telemetry.location_reason
    to biotrakr_analyst, biotrakr_app, biotrakr_ingest;
grant select on all tables in schema telemetry to biotrakr_backup;
