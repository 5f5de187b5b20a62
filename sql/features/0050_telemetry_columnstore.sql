-- Readings, usage and scores older than 30 days are compressed, as positions are.
select ops.try_feature('columnstore_telemetry', $feature$
    select ops.require_community();
    do $do$
    declare
        store record;
    begin
        for store in
            select *
            from (values
                ('sensor_reading', 'organization_id, source_id, quantity', 'ts desc'),
                ('usage_log', 'organization_id, asset_id', 'ts desc'),
                ('prediction_score', 'organization_id, asset_id, model_id, horizon_h', 'ts desc')
            ) as wanted (name, segment_by, order_by)
            join timescaledb_information.hypertables as known
                on known.hypertable_schema = 'telemetry'
                and known.hypertable_name = wanted.name
                and not known.compression_enabled
        loop
            execute format(
                'alter table telemetry.%I set (
                    timescaledb.enable_columnstore,
                    timescaledb.segmentby = %L,
                    timescaledb.orderby = %L
                )', store.name, store.segment_by, store.order_by);
        end loop;
    end
    $do$;
    call public.add_columnstore_policy(
        'telemetry.sensor_reading', after => interval '30 days', if_not_exists => true
    );
    call public.add_columnstore_policy(
        'telemetry.usage_log', after => interval '30 days', if_not_exists => true
    );
    call public.add_columnstore_policy(
        'telemetry.prediction_score', after => interval '30 days', if_not_exists => true
    );
$feature$);
