-- Sensors, usage and predictions: three more hypertables, as telemetry.location_history: natural
-- keys, no foreign keys, no triggers, no row security, no right of any tenant. And the models.

create table registry.sensor (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$'),
    quantity smallint not null,
    low_limit double precision,
    high_limit double precision,
    interval_s integer check (interval_s > 0),
    calibrated_on date,
    enabled boolean not null default true,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    constraint sensor_limits_are_in_order check (low_limit < high_limit)
);
comment on table registry.sensor is 'A sensor on an asset; quantity is telemetry.quantity.';
call ops.finish_table('registry.sensor', 'asset');
-- The sensors of an asset; codes kept apart.
create unique index sensor_code on registry.sensor (organization_id, asset_id, code)
    where deleted_at is null;

-- Look-ups rather than CHECKs on hypertables: a new code needs no rewrite of ten years.
create table telemetry.quantity (
    code smallint primary key,
    name text not null unique,
    unit text not null
);
comment on table telemetry.quantity is 'What is measured, in which unit (UCUM).';
insert into telemetry.quantity (code, name, unit) values
    (1, 'temperature', 'Cel'),
    (2, 'humidity', '%'),
    (3, 'vibration', 'm/s2'),
    (4, 'power', 'W'),
    (5, 'current', 'A'),
    (6, 'voltage', 'V'),
    (7, 'pressure', 'kPa'),
    (8, 'flow', 'mL/h'),
    (9, 'battery', '%'),
    (10, 'battery_voltage', 'mV'),
    (11, 'battery_cycles', '{count}'),
    (12, 'error_code', '{code}'),
    (13, 'rotation', '/min'),
    (14, 'torque', 'N.m'),
    (15, 'sound', 'dB'),
    (16, 'radiation_dose', 'mGy'),
    (17, 'helium_level', '%');
alter table registry.sensor
    add foreign key (quantity) references telemetry.quantity (code);

create table telemetry.sensor_reading (
    organization_id uuid not null,
    asset_id uuid not null,
    source_id uuid not null,
    quantity smallint not null,
    ts timestamptz not null,
    value double precision not null,
    -- The natural key: a reading sent twice is one. Also the series of one sensor.
    primary key (source_id, quantity, ts)
);
comment on table telemetry.sensor_reading is 'What sensors and tags measured; filter by ts.';
comment on column telemetry.sensor_reading.source_id is
    'The sensor (registry.sensor), or the tag (registry.tag) for what a tag says of itself.';
comment on column telemetry.sensor_reading.quantity is 'telemetry.quantity, with the unit';
select public.create_hypertable(
    'telemetry.sensor_reading', 'ts',
    chunk_time_interval => interval '7 days',
    associated_schema_name => 'chunks',
    create_default_indexes => false
);
-- The readings of an asset over a range of time.
create index sensor_reading_asset
    on telemetry.sensor_reading (organization_id, asset_id, quantity, ts);

create table telemetry.usage_log (
    organization_id uuid not null,
    asset_id uuid not null,
    ts timestamptz not null,
    running boolean not null,
    hours_total double precision,
    cycles_total bigint,
    -- The natural key: a report sent twice is one. Also the series of one asset.
    primary key (asset_id, ts)
);
comment on table telemetry.usage_log is
    'What devices report of their own use: running or not, and their counters as read.';
comment on column telemetry.usage_log.hours_total is 'Operating hours since new; a counter.';
select public.create_hypertable(
    'telemetry.usage_log', 'ts',
    chunk_time_interval => interval '7 days',
    associated_schema_name => 'chunks',
    create_default_indexes => false
);
-- A tenant's reports over a range of time.
create index usage_log_organization on telemetry.usage_log (organization_id, ts);

create table prediction.model (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    model_version text not null check (length(model_version) between 1 and 50),
    algorithm text not null,
    device_type_id uuid,
    horizon_h integer not null check (horizon_h > 0),
    status text not null default 'draft' check (status in ('draft', 'shadow', 'active', 'retired')),
    trained_at timestamptz,
    train_from timestamptz,
    train_to timestamptz,
    data_sha256 text check (data_sha256 ~ '^[0-9a-f]{64}$'),
    code_version text,
    features jsonb not null default '[]' check (jsonb_typeof(features) = 'array'),
    hyperparameters jsonb not null default '{}' check (jsonb_typeof(hyperparameters) = 'object'),
    metrics jsonb not null default '{}' check (jsonb_typeof(metrics) = 'object'),
    artifact jsonb,
    artifact_sha256 text check (artifact_sha256 ~ '^[0-9a-f]{64}$'),
    training_events integer check (training_events >= 0),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    constraint model_was_trained_on_the_past check (train_to > train_from and trained_at >= train_to)
);
comment on table prediction.model is
    'The model registry. artifact: coefficients as data, never a pickle; device_type_id null: all.';
call ops.finish_table('prediction.model', 'organization');
-- Keeps versions apart.
create unique index model_version on prediction.model (organization_id, name, model_version)
    where deleted_at is null;
-- One model is the active one for a type and horizon.
create unique index model_active
    on prediction.model (organization_id, device_type_id, horizon_h) nulls not distinct
    where status = 'active' and deleted_at is null;

create table telemetry.prediction_score (
    organization_id uuid not null,
    asset_id uuid not null,
    model_id uuid not null,
    horizon_h integer not null,
    ts timestamptz not null,
    as_of timestamptz not null,
    p_failure double precision not null check (p_failure between 0 and 1),
    p_low double precision check (p_low between 0 and 1),
    p_high double precision check (p_high between 0 and 1),
    p_raw double precision check (p_raw between 0 and 1),
    expected_ttf_h double precision check (expected_ttf_h >= 0),
    failure_category text,
    factors jsonb not null default '[]',
    features_sha256 text,
    -- The natural key: scoring again is one score. Also the trend of one asset.
    primary key (asset_id, model_id, horizon_h, ts),
    check (as_of <= ts),
    check (p_low <= p_failure and p_failure <= p_high)
);
comment on table telemetry.prediction_score is
    'Every score: the probability (0 to 1) that an asset fails within horizon_h of as_of.';
comment on column telemetry.prediction_score.ts is 'When it was computed.';
comment on column telemetry.prediction_score.as_of is
    'Nothing that was learnt later went into it.';
comment on column telemetry.prediction_score.p_raw is 'Before calibration.';
comment on column telemetry.prediction_score.factors is
    '[{"feature": text, "value": number, "effect": number}, ...], the strongest first.';
select public.create_hypertable(
    'telemetry.prediction_score', 'ts',
    chunk_time_interval => interval '7 days',
    associated_schema_name => 'chunks',
    create_default_indexes => false
);
-- A tenant's scores over a range of time.
create index prediction_score_organization on telemetry.prediction_score (organization_id, ts);

create table prediction.risk_current (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    model_id uuid not null,
    horizon_h integer not null,
    scored_at timestamptz not null,
    as_of timestamptz not null,
    p_failure double precision not null check (p_failure between 0 and 1),
    p_low double precision check (p_low between 0 and 1),
    p_high double precision check (p_high between 0 and 1),
    expected_ttf_h double precision,
    failure_category app.failure_category,
    factors jsonb not null default '[]' check (jsonb_typeof(factors) = 'array'),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, model_id) references prediction.model (organization_id, id)
);
comment on table prediction.risk_current is
    'The newest score of each asset, model and horizon (columns as telemetry.prediction_score).';
call ops.finish_table('prediction.risk_current', 'asset', audited => false);
-- One row an asset, model and horizon.
create unique index risk_current_once
    on prediction.risk_current (organization_id, asset_id, model_id, horizon_h);
-- The highest risks.
create index risk_current_highest
    on prediction.risk_current (organization_id, model_id, horizon_h, p_failure);

create table prediction.outcome (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    model_id uuid not null,
    horizon_h integer not null,
    as_of timestamptz not null,
    p_failure double precision not null check (p_failure between 0 and 1),
    outcome text not null check (outcome in ('FAILED', 'NOT_FAILED', 'CENSORED')),
    failed_at timestamptz,
    censored_by text check (censored_by in ('RETIRED', 'REPLACED', 'SERVICED')),
    work_order_id uuid,
    settled_at timestamptz not null,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, model_id) references prediction.model (organization_id, id),
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    constraint outcome_failed_at_a_time check ((outcome = 'FAILED') = (failed_at is not null)),
    constraint outcome_is_censored_by_something
        check ((outcome = 'CENSORED') = (censored_by is not null))
);
comment on table prediction.outcome is
    'What became of a score when its horizon was over. Service after an alert censors it.';
call ops.finish_table('prediction.outcome', 'asset');
-- One outcome a score.
create unique index outcome_once
    on prediction.outcome (organization_id, model_id, asset_id, horizon_h, as_of);
-- A model's record by month.
create index outcome_month on prediction.outcome (organization_id, model_id, as_of);

create table prediction.drift (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    model_id uuid not null,
    measured_at timestamptz not null,
    feature text not null check (feature <> ''),
    psi double precision check (psi >= 0),
    missing_share double precision check (missing_share between 0 and 1),
    training_missing_share double precision check (training_missing_share between 0 and 1),
    verdict text not null check (verdict in ('STABLE', 'WATCH', 'ACT', 'INSUFFICIENT_DATA')),
    foreign key (organization_id, model_id) references prediction.model (organization_id, id)
);
comment on table prediction.drift is
    'How far a feature (or the score, as feature "score") has moved from the training data.';
call ops.finish_table('prediction.drift', 'organization');
-- One measurement a feature and time; also the newest.
create unique index drift_once
    on prediction.drift (organization_id, model_id, feature, measured_at);

grant select, insert, update on telemetry.sensor_reading, telemetry.usage_log,
    telemetry.prediction_score to biotrakr_ingest;
grant select on telemetry.quantity to biotrakr_analyst, biotrakr_app, biotrakr_ingest;
grant select on telemetry.quantity, telemetry.sensor_reading, telemetry.usage_log,
    telemetry.prediction_score to biotrakr_backup;
-- The dataflow knows the sensors of all tenants.
create policy ingest on registry.sensor to biotrakr_ingest using (true) with check (true);
grant select on registry.sensor to biotrakr_ingest;
