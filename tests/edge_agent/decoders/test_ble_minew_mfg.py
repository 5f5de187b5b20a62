import pytest

from edge_agent.decoders import ble_minew_mfg

MAC = "6745233123ac"


@pytest.mark.parametrize(
    "payload, expected",
    [
        (
            "ca0500000019803200504c5553" + "00" * 11,
            {
                "frame": "v3_temp_humidity",
                "temperature_c": 25.5,
                "humidity": 50.0,
                "name": "PLUS",
            },
        ),
        (
            "ca0501020019803200504c5553" + "00000000" + "01" + "00" * 6,
            {"humidity": None, "marked": True},
        ),
        ("ca1b80" + "00" * 21, {"frame": "v3_temperature", "encrypted": True}),
        (
            "ca1e0007d2040e" + "00" * 17,
            {
                "frame": "v3_tof",
                "cycle": 7,
                "distance_mm": 1234,
                "low_battery": True,
                "occupied": True,
                "moving": True,
                "tamper": False,
            },
        ),
        (
            "ca03" + "03ff8000000080" + "2164" + "2201" + "deadbeef",
            {
                "frame": "v3_combination",
                "acc_g": [-0.5, 0.0, 0.5],
                "battery": 100,
                "triggered": True,
            },
        ),
        ("ca03" + "2164" + "99" + "2201" + "deadbeef", {"battery": 100}),
        (
            "a4016401000100" + MAC + "0000",
            {
                "frame": "s4_door",
                "battery": 100,
                "door_open": True,
                "tamper": False,
                "triggered": True,
                "mac": "ac2331234567",
            },
        ),
    ],
)
def test_frames(contains, payload, expected):
    assert contains(expected, ble_minew_mfg.decode(bytes.fromhex(payload)))


def test_an_unknown_block_ends_a_combination():
    frame = ble_minew_mfg.decode(bytes.fromhex("ca03" + "99" + "2201" + "deadbeef"))
    assert frame == {"frame": "v3_combination"}


@pytest.mark.parametrize(
    "payload", ["", "ca", "ca03", "ca00" + "00" * 21, "a303" + "00" * 15, "51" * 6]
)
def test_foreign(payload):
    assert ble_minew_mfg.decode(bytes.fromhex(payload)) is None
