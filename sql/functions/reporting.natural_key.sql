-- A lot or serial number so that it sorts as people count: A9 before A10. Case, spaces and hyphens
-- do not matter.
create or replace function reporting.natural_key(number text) returns text
language sql immutable parallel safe
begin atomic
    select string_agg(
        case when part[1] ~ '^[0-9]' then lpad(part[1], greatest(24, length(part[1])), '0')
        else part[1] end, '' order by place
    )
    from regexp_matches(
        regexp_replace(upper(number), '[^A-Z0-9]', '', 'g'), '[0-9]+|[A-Z]+', 'g'
    ) with ordinality as found (part, place);
end;
comment on function reporting.natural_key(text) is
    'Upper case, letters and digits only, digits padded; compare with collate "C".';
grant execute on function reporting.natural_key(text) to biotrakr_analyst, biotrakr_app;
