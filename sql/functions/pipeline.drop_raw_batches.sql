-- Dropping a chunk takes the owner; the dataflow may ask for it. Returns how many chunks went.
create or replace function pipeline.drop_raw_batches(before timestamptz) returns integer
language sql
security definer
set search_path = pg_catalog
as $$
    select count(*)::integer
    from public.drop_chunks('pipeline.raw_batch', older_than => before) as dropped
$$;
comment on function pipeline.drop_raw_batches(timestamptz) is
    'Drops the chunks of pipeline.raw_batch that lie before a time.';
grant execute on function pipeline.drop_raw_batches(timestamptz) to biotrakr_ingest;
