"""From a device's line and a position to the broker: what was measured, in the reads' batches."""

import sqlite3
from array import array

from serial_readers import Nmea


def values_of(pipeline):
    """(tag, quantity) -> values in order, of everything taken in."""
    found = {}
    for key in sorted(pipeline.batches):
        batch = pipeline.batches[key]
        if batch.sensors is None:
            continue
        s = batch.sensors
        columns = (array("H", s.tag_index), array("H", s.quantity_index), array("d", s.value))
        for tag, quantity, value in zip(*columns, strict=True):
            found.setdefault((batch.tags[tag], s.quantities[quantity]), []).append(value)
    return found


def section(name, device, protocol, extra=""):
    return (
        f'[[readers]]\nname = "{name}"\nkind = "serial"\nprotocol = "{protocol}"\n'
        f'port = "{device.link}"\n{extra}\n'
    )


def test_values_share_the_way_of_the_reads(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    pipeline = make_pipeline(gateway)
    fridge, gps = plug_in(lambda _: b""), plug_in(lambda _: b"")
    pattern = r"ID=(?P<tag>[0-9A-F]+);T=(?P<temperature_c>\S+)"
    readers = section("fridge", fridge, "line", f"pattern = '{pattern}'\nprefix = \"acme\"")
    readers += section("gps", gps, "nmea")
    start_agent(gateway_settings(readers, extra="sensor_interval_s = 0\nmerge_window_s = 0.2"))
    wait_for(lambda: pipeline.batches)

    def say():
        fridge.say(b"ID=0A1B;T=4.5\r\n")
        gps.say(Nmea().unasked())

    def measured():
        say()
        return values_of(pipeline)

    place = f"gps:{gateway}/gps"
    temperature = ("acme:0A1B", "temperature_c")
    wait_for(lambda: {temperature, (place, "latitude_deg")} <= measured().keys())
    assert values_of(pipeline)[temperature] == [4.5]  # said again and again, told once
    (latitude,) = values_of(pipeline)[place, "latitude_deg"]
    assert abs(latitude - 45.77047) < 1e-4
    assert {"acme:0A1B", place} <= {tag for tag, *_ in pipeline.reads()}

    pipeline.acknowledging = False
    fridge.say(b"ID=0A1B;T=5.5\r\n")
    wait_for(lambda: values_of(pipeline)[temperature] == [4.5, 5.5])
    with sqlite3.connect(tmp_path / "spool" / "spool.sqlite") as spool:
        held = spool.execute("SELECT count(*) FROM batches").fetchone()[0]
    assert held >= 1  # kept until the pipeline has it, as every batch
    spool.close()
