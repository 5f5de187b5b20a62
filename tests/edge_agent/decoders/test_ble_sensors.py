import json
from pathlib import Path

import pytest

from edge_agent.decoders import registry_ble
from edge_agent.decoders.ble_advert import Advert
from edge_agent.decoders.ble_fields import service_uuid
from edge_agent.decoders.ble_sensors import readings

TAG = "ble:c4a138000001"
VECTORS = json.loads(Path(__file__).with_name("vectors_ble.json").read_text())


def measured(company=None, service=None):
    services = {
        service_uuid(number): bytes.fromhex(data) for number, data in (service or {}).items()
    }
    companies = {number: bytes.fromhex(data) for number, data in (company or {}).items()}
    found = readings(TAG, Advert(companies, services))
    assert {reading.tag for reading in found} <= {TAG}
    return {(reading.quantity, reading.index): reading.value for reading in found}


def test_units_are_those_of_the_name():
    got = measured({1177: "0512fc5394c37c0004fffc040cac364200cdcbb8334c884f"})
    assert got["temperature_c", 0] == 24.3
    assert got["pressure_pa", 0] == 100044
    assert got["acceleration_z_g", 0] == 1.036
    assert got["battery_mv", 0] == 2977


def test_bthome_is_brought_to_the_same_units_and_counts_equal_sensors():
    got = measured(service={0xFCD2: "4004138a0102ca0902cf09210110013a04"})
    assert got == {
        ("pressure_pa", 0): 100883,
        ("temperature_c", 0): 25.06,
        ("temperature_c", 1): 25.11,
        ("motion", 0): True,
        ("external_power", 0): True,
        ("button", 0): "long_press",
    }


def test_no_event_is_no_reading():
    assert measured(service={0xFCD2: "403a00"}) == {}


def test_every_part_of_an_advertisement_is_read():
    company = {
        76: "0215ffffffff0b8c404510c655aab636ebefbb70005502",
        2202: "01b708b4120ccb0bffc767",
    }
    got = measured(company, {0xFEAA: "20000000138000000014670000002ac4"[:28]})
    assert got["temperature_c", 0] == 22.28 and got["temperature_c", 1] == 19.5
    assert got["motion", 0] is False and got["battery_mv", 0] == 3030
    assert ("battery_mv", 1) not in got  # 0 means another source of power


def test_buttons_are_counted():
    got = measured({1593: "51012345220100efb598c3b498c0b63cbed37ebd0398bd"})
    assert (got["button", 0], got["button", 1]) == (True, False)


@pytest.mark.parametrize("row", [v for v in VECTORS if "ble" in v], ids=lambda v: v["id"])
def test_values_are_plain(row):
    parts = row["ble"]
    advert = Advert(
        {int(k): bytes.fromhex(v) for k, v in parts.get("manufacturer_data", {}).items()},
        {k: bytes.fromhex(v) for k, v in parts.get("service_data", {}).items()},
    )
    for reading in readings(TAG, advert):
        assert isinstance(reading.value, bool | int | float | str) and reading.quantity
    assert list(registry_ble.decode_all(advert))
