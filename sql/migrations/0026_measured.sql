-- What tags measure reaches the database under the names of the message contract.

alter table telemetry.quantity add column wire_name text unique;
comment on column telemetry.quantity.wire_name is
    'The name in a read batch, with the unit last; values have the same unit.';
update telemetry.quantity as q set wire_name = known.wire_name
from (values
    ('temperature', 'temperature_c'), ('humidity', 'humidity_percent'), ('power', 'power_w'),
    ('current', 'current_a'), ('voltage', 'voltage_v'), ('battery', 'battery_percent'),
    ('battery_voltage', 'battery_mv'), ('rotation', 'rotational_speed_rpm')
) as known (name, wire_name)
where q.name = known.name;
