-- What happened: the present place of every asset, visits, sessions, alerts. Written by the
-- dataflow with deterministic ids, so that writing a window again changes nothing.

create table tracking.asset_location_current (
    asset_id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
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
    last_seen_at timestamptz not null,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, building_id) references registry.building (organization_id, id),
    foreign key (organization_id, floor_id) references registry.floor (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id)
) with (fillfactor = 50); -- every row is rewritten every window: leave room for it on its page
comment on table tracking.asset_location_current is
    'The newest row of telemetry.location_history for each asset (columns there).';
comment on column tracking.asset_location_current.facility_id is 'Where it is, not who owns it.';
comment on column tracking.asset_location_current.last_seen_at is 'Event time of the newest read.';
-- What is in this room, on this floor, in this facility? Not ts: an indexed column that changes
-- every window would make every update write the index.
create index asset_location_current_place
    on tracking.asset_location_current (organization_id, facility_id, room_id);

create table tracking.room_visit (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    asset_id uuid not null,
    room_id uuid not null,
    entered_at timestamptz not null,
    left_at timestamptz,
    initial boolean not null default false,
    entry_reason text not null,
    exit_reason text,
    confidence real,
    contenders jsonb not null default '[]',
    window_end timestamptz not null,
    building_id uuid not null, -- filled from the room
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, building_id) references registry.building (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id),
    constraint room_visit_ends_after_it_began check (left_at >= entered_at),
    -- An asset is in one room of a building at a time. Not of all buildings: each is followed for
    -- itself, so one that walks over is still inside the old one until that has waited in vain for
    -- it. Checked at commit, so one transaction may close a visit and open the next in any order.
    -- Also finds the visit at a given time.
    constraint room_visit_is_the_only_one exclude using gist
        (asset_id with =, building_id with =, tstzrange(entered_at, left_at) with &&)
        deferrable initially deferred
);
create trigger fill_building before insert on tracking.room_visit
    for each row execute function tracking.fill_building();
comment on table tracking.room_visit is 'An asset in a room; left_at null: it is there now.';
comment on column tracking.room_visit.initial is 'It was inside when it was first seen.';
comment on column tracking.room_visit.contenders is
    'The rooms it was weighed against, with figures.';
comment on column tracking.room_visit.window_end is
    'The window that decided the entry or the exit.';
-- Who was in this room when?
create index room_visit_room on tracking.room_visit (organization_id, room_id, entered_at);
-- The trail of one asset.
create index room_visit_asset on tracking.room_visit (organization_id, asset_id, entered_at);
-- Who is inside now: a small index beside ten years of visits.
create index room_visit_open on tracking.room_visit (organization_id, room_id)
    where left_at is null;

create table tracking.zone_visit (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    asset_id uuid not null,
    zone_id uuid not null,
    entered_at timestamptz not null,
    left_at timestamptz,
    initial boolean not null default false,
    entry_reason text not null,
    exit_reason text,
    confidence real,
    contenders jsonb not null default '[]',
    window_end timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, zone_id) references registry.zone (organization_id, id),
    constraint zone_visit_ends_after_it_began check (left_at >= entered_at),
    -- Zones may overlap each other, but nothing is in the same one twice.
    constraint zone_visit_is_the_only_one exclude using gist
        (asset_id with =, zone_id with =, tstzrange(entered_at, left_at) with &&)
        deferrable initially deferred
);
comment on table tracking.zone_visit is 'An asset in a zone; zones may overlap.';
-- Who was in this zone when?
create index zone_visit_zone on tracking.zone_visit (organization_id, zone_id, entered_at);
-- The trail of one asset.
create index zone_visit_asset on tracking.zone_visit (organization_id, asset_id, entered_at);
-- Who is inside now.
create index zone_visit_open on tracking.zone_visit (organization_id, zone_id)
    where left_at is null;

create table tracking.usage_session (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    asset_id uuid not null,
    room_id uuid,
    state text not null check (state in (
        'MAINTENANCE', 'IN_USE', 'CLEANING', 'AVAILABLE', 'UNKNOWN'
    )),
    method text not null check (method in ('telemetry', 'checkout', 'presence', 'motion')),
    started_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id),
    constraint usage_session_ends_after_it_began check (ended_at >= started_at)
);
comment on table tracking.usage_session is
    'An asset in one state, by one kind of evidence; methods are never averaged together.';
-- An asset's sessions over a range of time.
create index usage_session_asset on tracking.usage_session (organization_id, asset_id, started_at);
-- A facility's daily figures.
create index usage_session_facility
    on tracking.usage_session (organization_id, facility_id, started_at);
