-- What has not been seen for too long, where was it last, and what is it worth? Assets in service that
-- wear a tag; one that was never seen counts from when it got its tag.
create function reporting.f_v_missing_assets(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    tag text,
    last_seen_at timestamptz,
    hours_unseen numeric,
    last_room text,
    battery_pct double precision,
    criticality text,
    custodian text,
    book_value numeric,
    book_currency text,
    facility text,
    room_id uuid
)
language sql stable
begin atomic
    with site as materialized (
        select
            facility.id,
            facility.code,
            app.threshold('missing_after_h', facility.id, null, 24) as missing_after_h
        from registry.facility
    ),
    worn as materialized (
        select
            worn.asset_id,
            min(lower(worn.during)) as since,
            array_agg(worn.tag_id) as tags
        from registry.tag_assignment as worn
        where worn.during @> as_of
        group by worn.asset_id
    ),
    unseen as materialized (
        select
            asset.organization_id,
            coalesce(place.facility_id, asset.facility_id) as facility_id,
            asset.id,
            asset.tag_number,
            asset.criticality,
            asset.custodian_id,
            place.last_seen_at,
            place.room_id,
            site.code as facility,
            worn.tags,
            extract(epoch from as_of - coalesce(place.last_seen_at, worn.since)) / 3600 as hours
        from worn
        join registry.asset on asset.id = worn.asset_id
            and asset.deleted_at is null
            and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        left join tracking.asset_location_current as place on place.asset_id = asset.id
        join site on site.id = coalesce(place.facility_id, asset.facility_id)
        where extract(epoch from as_of - coalesce(place.last_seen_at, worn.since)) / 3600
            > site.missing_after_h
    )
    select
        unseen.organization_id,
        unseen.facility_id,
        unseen.id,
        unseen.tag_number,
        unseen.last_seen_at,
        round(unseen.hours, 1),
        room.code,
        battery.value,
        unseen.criticality::text,
        custodian.display_name,
        worth.book_value,
        worth.currency,
        unseen.facility,
        unseen.room_id
    from unseen
    left join registry.room on room.id = unseen.room_id
    left join registry.user_account as custodian on custodian.id = unseen.custodian_id
    left join lateral (
        select reading.value
        from reporting.sensor_reading as reading
        where reading.source_id = any (unseen.tags)
            and reading.quantity = 'battery'
            and reading.ts > as_of - interval '90 days'
            and reading.ts <= as_of
        order by reading.ts desc
        limit 1
    ) as battery on true
    left join lateral (
        select metric.current_book_value as book_value, asset.currency_code::text as currency
        from registry.asset_metric as metric
        join registry.asset on asset.id = metric.asset_id
        where metric.organization_id = unseen.organization_id
            and metric.asset_id = unseen.id
            and metric.deleted_at is null
    ) as worth on true;
end;
create view reporting.v_missing_assets with (security_invoker = true) as
select * from reporting.f_v_missing_assets(now());

comment on function reporting.f_v_missing_assets(timestamptz) is
    'reporting.v_missing_assets with ages up to a time; places are the last known ones.';
comment on view reporting.v_missing_assets is
    'Tagged assets in service unseen for longer than the threshold missing_after_h (24 h).';
comment on column reporting.v_missing_assets.last_seen_at is 'NULL: never.';
comment on column reporting.v_missing_assets.hours_unseen is
    'Since it was last seen, or since it got its tag.';
comment on column reporting.v_missing_assets.battery_pct is
    'What a tag of it last told within 90 days.';
comment on column reporting.v_missing_assets.book_value is
    'As last computed (registry.asset_metric), in book_currency.';
grant execute on function reporting.f_v_missing_assets(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_missing_assets to biotrakr_analyst, biotrakr_app;
