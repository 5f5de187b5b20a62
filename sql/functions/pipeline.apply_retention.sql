-- Drops the chunks that are older than ops.retention_policy keeps them; returns how many went. Safe
-- to call at any time and from several processes: one works, the others find nothing to do.
--
-- Dropping a chunk fires no trigger, so each organization that loses rows is told in its trail. One
-- policy's trouble is noted in it and leaves the others alone.
create or replace function pipeline.apply_retention(at timestamptz default now()) returns integer
language plpgsql security definer
set search_path = pg_catalog
as $$
declare
    -- A caller may look back, but not drop what is still to be kept.
    moment constant timestamptz := least(at, now());
    policy ops.retention_policy;
    concerned uuid[];
    concern uuid;
    dropped integer;
    total integer := 0;
    outcome text;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('ops.retention_policy', 0)) then
        return 0;
    end if;
    for policy in select * from ops.retention_policy order by relation loop
        dropped := 0;
        if policy.summary is not null and not exists (
            select from ops.capability
            where capability.name = policy.summary and capability.available
        ) then
            outcome := format('kept: nothing summarises it here (%s)', policy.summary);
        else
            begin
                execute format(
                    'select array_agg(distinct old.organization_id)
                     from (select organization_id from %1$s where %2$I < $1) as old
                     where exists (select from public.show_chunks(%1$L, older_than => $1))',
                    policy.relation::regclass, policy.time_column
                ) into concerned using moment - policy.keep;
                select count(*) into dropped
                from public.drop_chunks(policy.relation::regclass, older_than => moment - policy.keep);
                if dropped > 0 then
                    foreach concern in array coalesce(concerned, '{}') loop
                        perform audit.append(
                            concern, 'RETENTION', policy.relation, null, null, null,
                            jsonb_build_object(
                                'before', moment - policy.keep, 'chunks', dropped, 'keep', policy.keep
                            ), null, policy.reason
                        );
                    end loop;
                end if;
                outcome := 'done';
            exception
                when others then
                    dropped := 0;
                    outcome := format('failed: %s (%s)', sqlerrm, sqlstate);
            end;
        end if;
        update ops.retention_policy
        set last_run_at = clock_timestamp(),
            last_outcome = outcome,
            chunks_dropped = chunks_dropped + dropped
        where relation = policy.relation;
        total := total + dropped;
    end loop;
    return total;
end
$$;
comment on function pipeline.apply_retention(timestamptz) is
    'Drops what ops.retention_policy no longer keeps; returns the number of chunks.';
grant execute on function pipeline.apply_retention(timestamptz) to biotrakr_ingest;
