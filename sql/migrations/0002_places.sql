-- Where things can be: facilities, buildings, floors, rooms, zones. Lengths are metres; x and y lie
-- in the building's plane, elevations above its zero. Polygons are [[x, y], ...] in that frame.
--
-- Every table of a tenant: organization_id; composite foreign keys, so that a row cannot point at
-- another tenant's (foreign keys look past row security); unique (organization_id, id) as their
-- target; codes unique among what is not deleted; stamps and a version for optimistic locking.
-- No index on organization_id alone: each unique one starts with it.

create table registry.facility (
    id uuid primary key,
    organization_id uuid not null references registry.organization (id),
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (name <> ''),
    time_zone text not null default 'UTC'
        check (timestamptz '2000-01-01 00:00+00' at time zone time_zone is not null), -- raises
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id)
);
comment on table registry.facility is 'A hospital or clinic of an organization.';
comment on column registry.facility.time_zone is
    'IANA name; its days are the days of every daily figure.';
-- One live facility for a topic's second level.
create unique index facility_code on registry.facility (organization_id, code)
    where deleted_at is null;

create table registry.building (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (name <> ''),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table registry.building is
    'A building with one plane of coordinates; the dataflow''s key.';
-- Finds a facility's buildings and keeps their codes apart.
create unique index building_code on registry.building (organization_id, facility_id, code)
    where deleted_at is null;

create table registry.floor (
    id uuid primary key,
    organization_id uuid not null,
    building_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (name <> ''),
    level integer not null,
    elevation_m double precision not null,
    height_m double precision not null check (height_m > 0),
    walls jsonb not null default '[]' check (jsonb_typeof(walls) = 'array'),
    plan_image_url text,
    metres_per_pixel double precision check (metres_per_pixel > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, building_id) references registry.building (organization_id, id)
);
comment on table registry.floor is 'A floor: level 0 is the ground floor.';
comment on column registry.floor.elevation_m is
    'Of the floor''s surface above the building''s zero.';
comment on column registry.floor.height_m is 'From this floor''s surface to the next one''s.';
comment on column registry.floor.walls is
    '[{"start": [x, y], "end": [x, y], "attenuation_db": number}, ...]';
-- Finds a building's floors and keeps their codes apart.
create unique index floor_code on registry.floor (organization_id, building_id, code)
    where deleted_at is null;

create table registry.room (
    id uuid primary key,
    organization_id uuid not null,
    floor_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (name <> ''),
    kind text not null default 'other' check (kind in (
        'patient', 'treatment', 'storage', 'cleaning', 'workshop', 'corridor', 'office', 'other'
    )),
    polygon jsonb not null check (jsonb_typeof(polygon) = 'array'),
    restricted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, floor_id) references registry.floor (organization_id, id)
);
comment on table registry.room is 'A room; its kind decides what presence means for utilization.';
-- Finds a floor's rooms and keeps their codes apart.
create unique index room_code on registry.room (organization_id, floor_id, code)
    where deleted_at is null;

create table registry.zone (
    id uuid primary key,
    organization_id uuid not null,
    building_id uuid not null,
    floor_id uuid not null,
    room_id uuid,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (name <> ''),
    polygon jsonb check (jsonb_typeof(polygon) = 'array'),
    entry_dwell_s double precision not null default 5 check (entry_dwell_s >= 0),
    exit_tolerance_m double precision not null default 1 check (exit_tolerance_m >= 0),
    tolerance_timeout_s double precision not null default 10 check (tolerance_timeout_s >= 0),
    exit_delay_s double precision not null default 3 check (exit_delay_s >= 0),
    timeout_s double precision not null default 120 check (timeout_s >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    version integer not null default 1,
    unique (organization_id, id),
    foreign key (organization_id, building_id) references registry.building (organization_id, id),
    foreign key (organization_id, floor_id) references registry.floor (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id),
    constraint zone_has_one_shape check ((room_id is null) <> (polygon is null))
);
comment on table registry.zone is 'A fenced area: a whole room, or a polygon on a floor.';
comment on column registry.zone.entry_dwell_s is 'Confirmed presence before the entry counts.';
comment on column registry.zone.exit_tolerance_m is 'How far outside still counts as near.';
comment on column registry.zone.tolerance_timeout_s is 'How long near but outside is still inside.';
comment on column registry.zone.exit_delay_s is 'How long outside before the exit counts.';
comment on column registry.zone.timeout_s is 'Unheard for so long is an exit; infinity: never.';
-- Finds a building's zones and keeps their codes apart.
create unique index zone_code on registry.zone (organization_id, building_id, code)
    where deleted_at is null;
