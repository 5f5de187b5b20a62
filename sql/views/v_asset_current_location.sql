-- Where is every asset now, and how old is that? One row an asset that was ever located.
--
-- The state table knows no past: the time given decides ages and staleness only.
create function reporting.f_v_asset_current_location(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    asset_tag text,
    facility text,
    building text,
    floor text,
    room text,
    zone text,
    x real,
    y real,
    z real,
    accuracy_m real,
    method text,
    last_seen_at timestamptz,
    age_seconds bigint,
    is_stale boolean,
    is_moving boolean,
    home_room text,
    is_home boolean,
    room_id uuid,
    home_room_id uuid,
    owner_facility_id uuid,
    room_confidence real
)
language sql stable
begin atomic
    with site as materialized (
        select
            facility.id,
            facility.code,
            app.threshold('location_stale_s', facility.id, null, 300) as stale_s
        from registry.facility
    ),
    inside as materialized (
        select visit.asset_id, string_agg(zone.code, ', ' order by zone.code) as zones
        from tracking.zone_visit as visit
        join registry.zone on zone.id = visit.zone_id
        where visit.left_at is null
        group by visit.asset_id
    )
    select
        place.organization_id,
        place.facility_id,
        place.asset_id,
        asset.tag_number,
        site.code,
        building.code,
        floor.code,
        room.code,
        inside.zones,
        place.x_m,
        place.y_m,
        place.z_m,
        place.accuracy_m,
        method.name,
        place.last_seen_at,
        greatest(extract(epoch from as_of - place.last_seen_at)::bigint, 0),
        as_of - place.last_seen_at > make_interval(secs => site.stale_s::double precision),
        place.moving,
        home.code,
        place.room_id = asset.home_room_id,
        place.room_id,
        asset.home_room_id,
        asset.facility_id,
        place.room_confidence
    from tracking.asset_location_current as place
    join registry.asset on asset.id = place.asset_id and asset.deleted_at is null
    join site on site.id = place.facility_id
    join registry.building on building.id = place.building_id
    left join registry.floor on floor.id = place.floor_id
    left join registry.room on room.id = place.room_id
    left join registry.room as home on home.id = asset.home_room_id
    left join inside on inside.asset_id = place.asset_id
    left join telemetry.location_method as method on method.code = place.method;
end;
create view reporting.v_asset_current_location with (security_invoker = true) as
select * from reporting.f_v_asset_current_location(now());

comment on function reporting.f_v_asset_current_location(timestamptz) is
    'reporting.v_asset_current_location with ages up to a given time.';
comment on view reporting.v_asset_current_location is
    'Where every located asset is now, how sure that is and how old.';
comment on column reporting.v_asset_current_location.facility_id is
    'Where it is; owner_facility_id is whose it is.';
comment on column reporting.v_asset_current_location.zone is 'The zones it is inside of.';
comment on column reporting.v_asset_current_location.x is
    'Metres in the building''s plane, as y; z above its zero.';
comment on column reporting.v_asset_current_location.accuracy_m is
    'Radius around (x, y) that holds the truth 90 % of the time.';
comment on column reporting.v_asset_current_location.is_stale is
    'Older than the threshold location_stale_s (300 s where none is set).';
comment on column reporting.v_asset_current_location.is_home is 'NULL where it has no home room.';
grant execute on function reporting.f_v_asset_current_location(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_asset_current_location to biotrakr_analyst, biotrakr_app;
