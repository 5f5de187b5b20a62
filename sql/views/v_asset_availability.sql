-- What can be taken now, and what keeps the rest? One row an asset in service.
--
-- The state: work, check-outs and usage sessions of any method, the strongest of them: MAINTENANCE >
-- IN_USE > CLEANING > AVAILABLE > UNKNOWN. Not seen for long is UNKNOWN, never free.
--
-- Clean: what its model says must be decontaminated has been, since it was last used and within its
-- interval. What needs none is clean.
create function reporting.f_v_asset_availability(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    type text,
    state text,
    state_since timestamptz,
    room text,
    is_clean boolean,
    is_available boolean,
    blocked_reason text,
    asset_tag text,
    room_id uuid,
    device_type_id uuid
)
language sql stable
begin atomic
    with site as materialized (
        select
            facility.id,
            make_interval(
                secs => app.threshold('unknown_after_s', facility.id, null, 3600)::double precision
            ) as unknown_after
        from registry.facility
    ),
    evidence as (
        select
            used.asset_id,
            used.state,
            used.started_at as since,
            case used.state
                when 'MAINTENANCE' then 1 when 'IN_USE' then 2 when 'CLEANING' then 3
                when 'AVAILABLE' then 4 else 5
            end as rank
        from tracking.usage_session as used
        where used.started_at <= as_of and coalesce(used.ended_at, 'infinity') > as_of
        union all
        select held.asset_id, 'IN_USE', lower(held.during), 2
        from registry.assignment as held
        where held.kind in ('CHECKOUT', 'OPERATION')
            and held.during @> as_of
            and held.deleted_at is null
        union all
        select work.asset_id, 'MAINTENANCE', work.work_started_at, 1
        from maintenance.work_order as work
        where work.status not in ('COMPLETED', 'CANCELLED')
            and work.work_started_at <= as_of
            and (work.restored_at is null or work.restored_at > as_of)
            and work.deleted_at is null
    ),
    strongest as (
        select distinct on (evidence.asset_id) evidence.*
        from evidence
        order by evidence.asset_id, evidence.rank, evidence.since
    ),
    hold as (
        select distinct affected.asset_id
        from compliance.recall_asset as affected
        join compliance.recall on recall.id = affected.recall_id and recall.deleted_at is null
        where affected.disposition in ('OPEN', 'IN_PROGRESS')
            and affected.assessment <> 'NOT_AFFECTED'
            and affected.deleted_at is null
    ),
    quarantine as (
        select distinct device.asset_id
        from compliance.incident_device as device
        where device.quarantined_at <= as_of
            and (device.released_at is null or device.released_at > as_of)
            and device.deleted_at is null
    ),
    fact as (
        select
            asset.organization_id,
            coalesce(place.facility_id, asset.facility_id) as facility_id,
            asset.id as asset_id,
            asset.tag_number,
            asset.status,
            type.id as device_type_id,
            type.code as type,
            place.room_id,
            room.code as room,
            case
                when asset.status = 'IN_MAINTENANCE' then 'MAINTENANCE'
                when strongest.rank <= 2 then strongest.state
                when as_of - place.last_seen_at > site.unknown_after then 'UNKNOWN'
                else coalesce(strongest.state, 'UNKNOWN')
            end as state,
            strongest.state as told,
            strongest.since,
            place.last_seen_at,
            hold.asset_id is not null as recalled,
            asset.status = 'QUARANTINED' or quarantine.asset_id is not null as quarantined,
            coalesce(
                model.decontamination_protocol is null
                and model.decontamination_interval_h is null,
                true
            ) as needs_no_cleaning,
            model.decontamination_interval_h as interval_h
        from registry.asset
        left join registry.device_model as model on model.id = asset.device_model_id
        left join registry.device_type as type on type.id = model.device_type_id
        left join tracking.asset_location_current as place on place.asset_id = asset.id
        left join site on site.id = place.facility_id
        left join registry.room on room.id = place.room_id
        left join strongest on strongest.asset_id = asset.id
        left join hold on hold.asset_id = asset.id
        left join quarantine on quarantine.asset_id = asset.id
        where asset.deleted_at is null
            and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    ),
    judged as (
        select
            fact.*,
            fact.needs_no_cleaning or (
                fact.state <> 'IN_USE'
                and (used.at is null or coalesce(clean.at >= used.at, false))
                and coalesce(
                    as_of - clean.at
                    <= make_interval(secs => 3600 * fact.interval_h::double precision),
                    fact.interval_h is null
                )
            ) as is_clean
        from fact
        left join lateral (
            select wiped.performed_at as at
            from maintenance.decontamination as wiped
            where wiped.organization_id = fact.organization_id
                and wiped.asset_id = fact.asset_id
                and wiped.performed_at <= as_of
                and wiped.result = 'PASS'
                and wiped.deleted_at is null
            order by wiped.performed_at desc
            limit 1
        ) as clean on not fact.needs_no_cleaning
        left join lateral (
            select least(coalesce(used.ended_at, as_of), as_of) as at
            from tracking.usage_session as used
            where used.organization_id = fact.organization_id
                and used.asset_id = fact.asset_id
                and used.state = 'IN_USE'
                and used.started_at <= as_of
            order by used.started_at desc
            limit 1
        ) as used on not fact.needs_no_cleaning
    )
    select
        judged.organization_id,
        judged.facility_id,
        judged.asset_id,
        judged.type,
        judged.state,
        case
            when judged.state = judged.told then judged.since
            when judged.state = 'UNKNOWN' then judged.last_seen_at
        end,
        judged.room,
        judged.is_clean,
        judged.state = 'AVAILABLE'
        and judged.is_clean and not judged.recalled and not judged.quarantined,
        case
            when judged.quarantined then 'quarantined'
            when judged.recalled then 'recall'
            when judged.state = 'MAINTENANCE' then 'maintenance'
            when judged.state = 'IN_USE' then 'in use'
            when judged.state = 'CLEANING' then 'cleaning'
            when judged.state = 'UNKNOWN' then 'not seen'
            when not judged.is_clean then 'not clean'
        end,
        judged.tag_number,
        judged.room_id,
        judged.device_type_id
    from judged;
end;
create view reporting.v_asset_availability with (security_invoker = true) as
select * from reporting.f_v_asset_availability(now());

comment on function reporting.f_v_asset_availability(timestamptz) is
    'reporting.v_asset_availability at a time; places, recalls and states of assets are the '
    'present ones.';
comment on view reporting.v_asset_availability is
    'What every asset in service is doing now, and what keeps it from being taken.';
comment on column reporting.v_asset_availability.facility_id is 'Where it is; unseen: whose it is.';
comment on column reporting.v_asset_availability.type is 'NULL: its model names none.';
comment on column reporting.v_asset_availability.state_since is 'NULL where nothing tells.';
comment on column reporting.v_asset_availability.blocked_reason is
    'The first of: quarantined, recall, maintenance, in use, cleaning, not seen, not clean; NULL: '
    'it is available. Not seen: longer than the threshold unknown_after_s (3600 s).';
grant execute on function reporting.f_v_asset_availability(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_asset_availability to biotrakr_analyst, biotrakr_app;
