import pytest

from edge_agent.decoders import ble_minew

MAC = "aabbccddeeff"


@pytest.mark.parametrize(
    "payload, expected",
    [
        ("a10264 01", {"frame": "light", "battery": 100, "light": True}),
        ("a10564 04d2", {"frame": "illuminance", "lux": 1234}),
        ("a11164 0001", {"frame": "pir", "pir": True}),
        ("a11264 00c8", {"frame": "tvoc", "tvoc_ppb": 200}),
        ("a12064 00", {"frame": "tamper", "tamper": False}),
        ("a107", {"frame": "firmware_update", "mac": "ffeeddccbbaa"}),
    ],
)
def test_frames(contains, payload, expected):
    assert contains(expected, ble_minew.decode(bytes.fromhex(payload + MAC)))


@pytest.mark.parametrize(
    "payload", ["", "a1", "a2016315803200" + MAC, "a1ff64" + MAC, "a10801aabb"]
)
def test_foreign(payload):
    assert ble_minew.decode(bytes.fromhex(payload)) is None
