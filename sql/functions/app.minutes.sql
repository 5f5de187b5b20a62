-- How long is a set of spans?
create or replace function app.minutes(spans tstzmultirange) returns numeric
language sql immutable parallel safe strict
set search_path = pg_catalog
as $$
    select coalesce(round(sum(extract(epoch from upper(span) - lower(span))) / 60, 3), 0)
    from unnest(spans) as span
$$;
comment on function app.minutes(tstzmultirange) is
    'Minutes in all of the spans together, to the thousandth; each must have an end.';
grant execute on function app.minutes(tstzmultirange)
    to biotrakr_analyst, biotrakr_app, biotrakr_backup;
