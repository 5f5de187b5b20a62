-- Positions older than 30 days are compressed, about a hundredfold. Late reads are recomputed well
-- before; segments are what reports filter by.
select ops.try_feature('columnstore', $feature$
    select ops.require_community();
    do $do$
    begin
        if not (
            select compression_enabled
            from timescaledb_information.hypertables
            where hypertable_schema = 'telemetry' and hypertable_name = 'location_history'
        ) then
            alter table telemetry.location_history set (
                timescaledb.enable_columnstore,
                timescaledb.segmentby = 'organization_id, asset_id',
                timescaledb.orderby = 'ts desc, building_id'
            );
        end if;
    end
    $do$;
    call public.add_columnstore_policy(
        'telemetry.location_history', after => interval '30 days', if_not_exists => true
    );
$feature$);
