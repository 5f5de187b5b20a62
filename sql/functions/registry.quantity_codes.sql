-- The codes of quantities by their names in a read batch; those not seen before are entered, with
-- the unit that their name ends in. The sink may call it, but may not write the table itself: a
-- gateway's word must not fill it without bound.
create or replace function registry.quantity_codes(names text[])
returns table (wire_name text, code smallint)
language plpgsql security definer
set search_path = pg_catalog
as $$
begin
    if exists (
        select from unnest(names) as asked (name)
        where not exists (select from telemetry.quantity q where q.wire_name = asked.name)
    ) then
        lock table telemetry.quantity in share row exclusive mode;
        insert into telemetry.quantity (code, name, unit, wire_name)
        select last.code + row_number() over (order by asked.name),
            case when exists (select from telemetry.quantity q where q.name = asked.name)
                then asked.name || ' (gateway)' else asked.name end,
            coalesce((
                select unit.ucum from (values
                    ('c', 'Cel'), ('percent', '%'), ('mv', 'mV'), ('v', 'V'), ('a', 'A'),
                    ('w', 'W'), ('kwh', 'kW.h'), ('lux', 'lx'), ('pa', 'Pa'), ('mm', 'mm'),
                    ('m', 'm'), ('kg', 'kg'), ('l', 'L'), ('g', '[g]'), ('mg', 'm[g]'),
                    ('s', 's'), ('deg', 'deg'), ('dbm', 'dB[mW]'), ('count', '{count}'),
                    ('rpm', '/min'), ('m3', 'm3'), ('ug_m3', 'ug/m3'), ('m_s', 'm/s'),
                    ('m_s2', 'm/s2'), ('deg_s', 'deg/s'), ('m3_h', 'm3/h')
                ) as unit (suffix, ucum)
                where asked.name ~ ('_' || unit.suffix || '(_[0-9]+)?$')
                order by length(unit.suffix) desc limit 1
            ), '1'),
            asked.name
        from (
            select distinct n as name from unnest(names) as n
            where n ~ '^[a-z][a-z0-9_]{0,62}$'
                and not exists (select from telemetry.quantity q where q.wire_name = n)
        ) as asked
        cross join (select max(q.code) as code from telemetry.quantity q) as last
        where last.code < 2000;
    end if;
    return query
        select q.wire_name, q.code from telemetry.quantity q where q.wire_name = any (names);
end
$$;
revoke execute on function registry.quantity_codes(text[]) from public;
grant execute on function registry.quantity_codes(text[]) to biotrakr_ingest;
comment on function registry.quantity_codes(text[]) is
    'Codes of quantities by wire_name, entering new ones; nothing for names that are none.';
