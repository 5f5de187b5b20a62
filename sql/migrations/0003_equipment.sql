-- What is located and by what: gateways, receivers, assets, tags, and the rules for them.

create table registry.gateway (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    building_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, building_id) references registry.building (organization_id, id)
);
comment on table registry.gateway is 'A Raspberry Pi with its readers.';
comment on column registry.gateway.enabled is 'Reads of a disabled gateway are not used.';
-- One live gateway for a topic's level.
create unique index gateway_code on registry.gateway (organization_id, facility_id, code)
    where deleted_at is null;

create table registry.receiver (
    id uuid primary key,
    organization_id uuid not null,
    gateway_id uuid not null,
    floor_id uuid not null,
    room_id uuid,
    name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}(/[0-9]{1,3})?$'),
    kind text not null check (kind in ('BLE', 'RFID')),
    x_m double precision not null,
    y_m double precision not null,
    z_m double precision not null,
    p0_dbm double precision not null check (p0_dbm between -120 and 20),
    path_loss_exponent double precision not null check (path_loss_exponent between 1.2 and 6),
    sigma_db double precision not null check (sigma_db > 0),
    range_m double precision not null check (range_m > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, gateway_id) references registry.gateway (organization_id, id),
    foreign key (organization_id, floor_id) references registry.floor (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id)
);
comment on table registry.receiver is 'A BLE receiver, or one antenna of an RFID reader.';
comment on column registry.receiver.name is
    'As it stands in the read batch: reader or reader/antenna.';
comment on column registry.receiver.z_m is 'Above the building''s zero, not above its floor.';
comment on column registry.receiver.p0_dbm is 'Expected RSSI at 1 m.';
comment on column registry.receiver.sigma_db is 'Standard deviation of RSSI around the model.';
comment on column registry.receiver.range_m is 'RFID: the error of "it is here".';
-- Finds a gateway's receivers and keeps their names apart.
create unique index receiver_name on registry.receiver (organization_id, gateway_id, name)
    where deleted_at is null;

create table registry.asset (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    tag_number text not null check (length(tag_number) between 1 and 50),
    name text not null check (name <> ''),
    manufacturer text not null,
    model text not null,
    serial_number text not null,
    category text not null check (category in (
        'IMAGING', 'LABORATORY', 'SURGICAL', 'PATIENT_MONITORING', 'THERAPEUTIC', 'LIFE_SUPPORT',
        'DIAGNOSTIC', 'ANESTHESIA', 'STERILIZATION', 'SUPPORT_EQUIPMENT', 'IT_MEDICAL', 'OTHER'
    )),
    status text not null default 'ACTIVE' check (status in (
        'ACTIVE', 'IN_SERVICE', 'IN_MAINTENANCE', 'QUARANTINED', 'CONDEMNED', 'RETIRED', 'DISPOSED'
    )),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table registry.asset is 'A piece of equipment; facility_id owns it, wherever it is.';
comment on column registry.asset.tag_number is
    'The inventory number on its label; not a radio tag.';
-- The number people search by; unique in the organization, so that a transfer keeps it.
create unique index asset_tag_number on registry.asset (organization_id, tag_number)
    where deleted_at is null;
-- The dataflow and most reports read one facility's assets.
create index asset_facility on registry.asset (organization_id, facility_id, category)
    where deleted_at is null;

create table registry.tag (
    id uuid primary key,
    organization_id uuid not null references registry.organization (id),
    name text not null check (name ~ '^[a-z0-9]+:[ -~]{1,120}$'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id)
);
comment on table registry.tag is 'A radio tag; its name is scheme:value as in the read batch.';
-- Reads name their tag.
create unique index tag_name on registry.tag (organization_id, name) where deleted_at is null;

create table registry.tag_assignment (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    tag_id uuid not null,
    asset_id uuid not null,
    during tstzrange not null check (not isempty(during)),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    foreign key (organization_id, tag_id) references registry.tag (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    -- A tag is on one asset at a time; an asset may wear several. Also finds a tag's wearer.
    constraint tag_is_worn_once exclude using gist (tag_id with =, during with &&)
);
comment on table registry.tag_assignment is
    'Which asset wore a tag when. It is history: an assignment ends, it is not deleted.';
comment on column registry.tag_assignment.during is '[from, to); no upper bound: still worn.';
-- Which tags does this asset wear, and which did it wear?
create index tag_assignment_asset on registry.tag_assignment (organization_id, asset_id);

create table registry.rule (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    zone_id uuid,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    type text not null check (type in ('forbidden-zone')),
    severity text not null check (severity in ('INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    categories text[] not null default '{}',
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, zone_id) references registry.zone (organization_id, id),
    constraint rule_names_its_zone check (type <> 'forbidden-zone' or zone_id is not null)
);
comment on table registry.rule is 'What raises an alert.';
comment on column registry.rule.categories is 'Assets it applies to; empty: all of the facility.';
-- Finds a facility's rules and keeps their codes apart.
create unique index rule_code on registry.rule (organization_id, facility_id, code)
    where deleted_at is null;
