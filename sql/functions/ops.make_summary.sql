-- A summary of a hypertable by time: a continuous aggregate where the edition has them, else a plain
-- view of the same name and columns. Repeatable; called by the files in features.
create or replace procedure ops.make_summary(
    feature text, name text, query text, start_offset interval, end_offset interval, every interval
)
language plpgsql
as $$
begin
    perform ops.try_feature(feature, format(
        $feature$
            select ops.require_community();
            do $do$
            begin
                if not exists (
                    select from timescaledb_information.continuous_aggregates
                    where view_schema = 'telemetry' and view_name = %1$L
                ) then
                    -- Takes the plain view's readers in reporting along; the runner makes them again.
                    drop view if exists telemetry.%1$I cascade;
                    create materialized view telemetry.%1$I
                    with (timescaledb.continuous, timescaledb.materialized_only = false) as
                    %2$s
                    with no data;
                end if;
            end
            $do$;
            select public.add_continuous_aggregate_policy(
                'telemetry.%1$I', start_offset => interval %3$L, end_offset => interval %4$L,
                schedule_interval => interval %5$L, if_not_exists => true
            );
        $feature$,
        name, query, start_offset, end_offset, every
    ));
    if to_regclass('telemetry.' || quote_ident(name)) is null then
        execute format('create view telemetry.%I as %s', name, query);
    end if;
    execute format('grant select on telemetry.%I to biotrakr_backup', name);
end
$$;
comment on procedure ops.make_summary(text, text, text, interval, interval, interval) is
    'A continuous aggregate, or a view of the same name and columns; records ops.capability.';
