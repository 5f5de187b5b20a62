import pytest

from edge_agent.decoders import ble_bthome


def values(payload):
    return ble_bthome.decode(bytes.fromhex(payload))["values"]


@pytest.mark.parametrize(
    "payload, expected",
    [
        ("400007", ["packet_id", 7]),
        ("4005138a14", ["illuminance", 13460.67]),
        ("400802ca", ["dew_point", -138.22]),
        ("400b021b00", ["power", 69.14]),
        ("401001", ["power", True]),
        ("402d00", ["window", False]),
        ("40576f", ["temperature", 111]),
        ("4058ea", ["temperature", -7.7]),
        ("405c02fbffff", ["power", -12.78]),
        ("403a80", ["button", "hold_press"]),
        ("403a81", ["button", "released"]),
        ("403a77", ["button", "event_77"]),
        ("403c0203", ["dimmer", {"direction": "right", "steps": 3}]),
        ("403b0001", ["command", {"command": "on", "arguments": ""}]),
        ("403be2030aff", ["command", {"command": "step_up", "arguments": "0aff"}]),
        ("405402abcd", ["raw", "abcd"]),
        ("4053025a00", ["text", "Z"]),
        ("40f100010204", ["firmware_version", "4.2.1.0"]),
        ("40f2000106", ["firmware_version", "6.1.0"]),
        ("406240420f00", ["speed", 1.0]),
    ],
)
def test_objects(payload, expected):
    assert values(payload) == [expected]


def test_flags():
    frame = ble_bthome.decode(b"\x44")
    assert (frame["trigger_based"], frame["encrypted"], frame["values"]) == (True, False, [])


@pytest.mark.parametrize("payload", ["", "20", "60", "00ff"])
def test_other_versions_are_foreign(payload):
    assert ble_bthome.decode(bytes.fromhex(payload)) is None


@pytest.mark.parametrize(
    "payload", ["4202", "4053", "405305aa", "403b", "41aabbcc", "43aabbccddee"]
)
def test_what_is_cut_short_says_so(payload):
    frame = ble_bthome.decode(bytes.fromhex(payload), "54:48:E6:8F:80:A5", bytes(16))
    assert frame["error"] == "truncated" and frame["values"] == []


def test_decryption_needs_an_address():
    payload = bytes.fromhex("41a47266c95f730011223378237214")
    assert ble_bthome.decode(payload, None, bytes(16))["error"] == "no_address"
