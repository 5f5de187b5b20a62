"""Adverts as BlueZ repeats them: who said it, and what of it is new."""

import pytest

from edge_agent.decoders.ble_fields import service_uuid
from edge_agent.decoders.ble_rpa import Resolver
from edge_agent.decoders.ble_tags import BleTags

ADDRESS = "C4:A1:38:00:00:01"
IBEACON = bytes.fromhex("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5")
EYE = bytes.fromhex("01b708b4120ccb0bffc767")
BTHOME, EDDYSTONE = service_uuid(0xFCD2), service_uuid(0xFEAA)
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
SEALED = bytes.fromhex("41a47266c95f730011223378237214")


class Air:
    """A receiver and the clock that it hears by."""

    def __init__(self, **options):
        self.tags = BleTags(**options)
        self.now_s = 0.0

    def hear(self, company=None, service=None, *, address=ADDRESS, kind="public", after_s=0.1):
        self.now_s += after_s
        tag, found = self.tags.take(address, kind, company or {}, service or {}, self.now_s)
        assert {reading.tag for reading in found} <= {tag}
        return tag, {(r.quantity, r.index): r.value for r in found}


def test_identity_from_the_beacon_part_values_from_the_vendor_part():
    tag, values = Air().hear({76: IBEACON, 2202: EYE})
    assert tag == "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/100/0"
    assert values["temperature_c", 0] == 22.28 and values["motion", 0] is False


def test_the_same_again_says_nothing_until_it_is_time():
    air = Air(repeat_s=10)
    tag, values = air.hear({2202: EYE})
    assert values and air.hear({2202: EYE}) == (tag, {})
    assert air.hear({2202: EYE}, after_s=10.1) == (tag, values)
    assert air.hear({2202: EYE}) == (tag, {})


def test_a_press_is_said_once_however_often_it_is_repeated():
    air = Air(repeat_s=10)
    assert air.hear(service={BTHOME: bytes.fromhex("4000073a01")})[1] == {("button", 0): "press"}
    again = {BTHOME: bytes.fromhex("4000073a01")}
    assert air.hear(service=again, after_s=11)[1] == {}
    # Another part changes: the old press still hangs in the air.
    assert ("button", 0) not in air.hear({2202: EYE}, again)[1]
    assert air.hear({2202: EYE}, {BTHOME: bytes.fromhex("4000083a01")})[1]["button", 0] == "press"


def test_sensors_of_the_same_quantity_keep_their_numbers():
    air = Air()
    climate = bytes.fromhex("4002ca0902cf09")
    first = air.hear({2202: EYE}, {BTHOME: climate})[1]
    assert [first["temperature_c", n] for n in range(3)] == [22.28, 25.06, 25.11]
    warmer = air.hear({2202: EYE}, {BTHOME: bytes.fromhex("4002cb0902cf09")})[1]
    assert [warmer["temperature_c", n] for n in range(3)] == [22.28, 25.07, 25.11]


def test_a_beacon_that_alternates_keeps_its_name():
    air = Air()
    uid = {EDDYSTONE: bytes.fromhex("00e3" + "12" * 16)}
    telemetry = {EDDYSTONE: bytes.fromhex("20000b1813000000146700002ac4")}
    name = f"eddystone:{'12' * 10}/{'12' * 6}"
    assert air.hear(service=uid) == (name, {})
    tag, values = air.hear(service=telemetry)
    assert tag == name and values["battery_mv", 0] == 2840
    tag, _ = air.hear(service={EDDYSTONE: telemetry[EDDYSTONE][:-1] + b"\0"}, after_s=100)
    assert tag == "ble:c4a138000001"  # it has not said its name for long


def test_a_key_opens_what_is_sealed():
    air = Air(keys={"5448e68f80a5": KEY})
    tag, values = air.hear(service={BTHOME: SEALED}, address="54:48:E6:8F:80:A5")
    assert tag == "ble:5448e68f80a5"
    assert values == {("temperature_c", 0): 25.06, ("humidity_percent", 0): 50.55}
    assert air.tags.undecryptable == 0


@pytest.mark.parametrize("keys", [{}, {"5448e68f80a5": bytes(16)}])
def test_without_the_right_key_it_is_a_tag_and_no_more(keys):
    air = Air(keys=keys)
    for _ in range(3):
        assert air.hear(service={BTHOME: SEALED}, address="54:48:E6:8F:80:A5") == (
            "ble:5448e68f80a5",
            {},
        )
    assert air.tags.undecryptable == 1


def test_an_advert_that_was_recorded_and_played_again_changes_nothing():
    air = Air(keys={"5448e68f80a5": KEY})
    first = air.hear(service={BTHOME: SEALED}, address="54:48:E6:8F:80:A5")[1]
    air.hear(service={BTHOME: b"\x40\x02\x00\x00"}, address="54:48:E6:8F:80:A5")
    again = air.hear(service={BTHOME: SEALED}, address="54:48:E6:8F:80:A5")[1]
    assert first["temperature_c", 0] == 25.06 and again["temperature_c", 0] == 0


def test_a_phone_is_named_after_its_owner_and_says_nothing_otherwise():
    irk = bytes.fromhex("ec0234a357c8ad05341010a60a397d9b")
    air = Air(owner_of=Resolver({"nurse-7": irk}).name_of)
    phone = "70:81:94:0D:FB:AA"
    assert air.hear({2202: EYE}, address=phone, kind="random")[0] == "irk:nurse-7"
    assert Air().hear({2202: EYE}, address=phone, kind="random") == (None, {})
    assert Air(forward_random=True).hear(address=phone, kind="random")[0] == "ble:7081940dfbaa"


def test_memory_is_bounded():
    air = Air(limit=10)
    for number in range(50):
        air.hear({2202: EYE}, address=f"C4:A1:38:00:00:{number:02X}")
    assert len(air.tags._devices) <= 10
