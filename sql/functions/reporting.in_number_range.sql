-- Does a lot or serial number lie in what a recall names? NULL: it cannot be told, and somebody
-- must look: the number is not recorded, or is written in another form than the range, such as
-- SN00123 beside 00100 to 00200. A range without an end is one number.
create or replace function reporting.in_number_range(number text, low text, high text)
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    value constant text := regexp_replace(upper(number), '[^A-Z0-9]', '', 'g');
    first constant text := regexp_replace(upper(low), '[^A-Z0-9]', '', 'g');
    last constant text := regexp_replace(upper(coalesce(high, low)), '[^A-Z0-9]', '', 'g');
begin
    if low is null then
        return true; -- the recall does not ask
    elsif value is null or value = '' then
        return null;
    elsif value = first or value = last then
        return true;
    elsif regexp_replace(value, '[0-9]+', '0', 'g') <> all (array[
        regexp_replace(first, '[0-9]+', '0', 'g'), regexp_replace(last, '[0-9]+', '0', 'g')
    ]) then
        -- Another form. For one number: as long as neither is the end of the other, it is another.
        if first = last
            and right(value, length(first)) <> first and right(first, length(value)) <> value
        then
            return false;
        end if;
        return null;
    end if;
    return reporting.natural_key(value) >= reporting.natural_key(first) collate "C"
        and reporting.natural_key(value) <= reporting.natural_key(last) collate "C";
end
$$;
comment on function reporting.in_number_range(text, text, text) is
    'Within low .. high as people count; NULL: not recorded, or not comparable.';
grant execute on function reporting.in_number_range(text, text, text)
    to biotrakr_analyst, biotrakr_app;
