-- Runs `statements` when this edition can and writes down when it cannot. Only SQLSTATE 0A000
-- (feature_not_supported) counts as "cannot": anything else is a mistake and must be heard.
-- Nothing is marked as applied, so the statements must be repeatable: after a change of edition
-- the next migrate offers them again.
create or replace function ops.try_feature(feature text, statements text) returns boolean
language plpgsql
as $$
declare
    problem text;
begin
    begin
        execute statements;
    exception
        when feature_not_supported then problem := sqlerrm;
    end;
    if problem is not null then
        raise notice 'feature % is skipped: %', feature, problem;
    end if;
    insert into ops.capability as known (name, available, detail, checked_at)
    values (feature, problem is null, coalesce(problem, 'in place'), clock_timestamp())
    on conflict (name) do update set
        available = excluded.available,
        detail = excluded.detail,
        checked_at = excluded.checked_at;
    return problem is null;
end
$$;
comment on function ops.try_feature(text, text) is
    'Run repeatable statements unless the edition lacks the feature; records ops.capability.';
