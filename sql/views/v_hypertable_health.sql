-- How large is each hypertable, in how many chunks, from when to when? For operators.
drop view if exists reporting.v_hypertable_health;
create view reporting.v_hypertable_health with (security_invoker = true) as
select
    format('%I.%I', hyper.hypertable_schema, hyper.hypertable_name) as hypertable,
    hyper.num_chunks::integer as chunks,
    size.total_bytes,
    size.index_bytes,
    round(100.0 * size.index_bytes / nullif(size.total_bytes, 0), 1) as index_pct,
    public.approximate_row_count(
        format('%I.%I', hyper.hypertable_schema, hyper.hypertable_name)::regclass
    ) as approximate_rows,
    chunk.oldest,
    chunk.newest,
    chunk.in_the_future,
    chunk.compressed
from timescaledb_information.hypertables as hyper
cross join lateral public.hypertable_detailed_size(
    format('%I.%I', hyper.hypertable_schema, hyper.hypertable_name)::regclass
) as size
left join lateral (
    select
        min(part.range_start) as oldest,
        max(part.range_end) as newest,
        count(*) filter (where part.range_start > now() + interval '1 day') as in_the_future,
        count(*) filter (where part.is_compressed) as compressed
    from timescaledb_information.chunks as part
    where part.hypertable_schema = hyper.hypertable_schema
        and part.hypertable_name = hyper.hypertable_name
) as chunk on true
where hyper.hypertable_schema in ('telemetry', 'pipeline');

comment on view reporting.v_hypertable_health is
    'Operators only: chunks, sizes and age of each hypertable.';
comment on column reporting.v_hypertable_health.oldest is
    'Bounds of its chunks, to newest: exact rows would have to be read.';
comment on column reporting.v_hypertable_health.in_the_future is
    'Chunks that begin more than a day from now: a reader with a wrong clock made them.';
grant select on reporting.v_hypertable_health to biotrakr_backup;
