"""What the vectors do not show of the smaller formats."""

import pytest

from edge_agent.decoders import (
    ble_ela,
    ble_estimote,
    ble_feasycom,
    ble_gatt,
    ble_kkm,
    ble_kontakt,
    ble_mibeacon,
    ble_mikrotik,
    ble_moko,
    ble_teltonika,
)

ESTIMOTE_A = "47a038d5eb0326400000014144"
ESTIMOTE_B = "2247a038d5eb03264001ffffff"


@pytest.mark.parametrize(
    "decoder, payload, expected",
    [
        (ble_teltonika.decode, "014c", {"low_battery": True, "magnet": True}),
        (ble_teltonika.decode, "0110ffff", {"moving": True, "movement_count": 0x7FFF}),
        (ble_teltonika.decode, "0101ff38", {"temperature_c": -2.0, "low_battery": False}),
        (ble_ela.decode, "2132122e07", {"humidity": 50, "temperature_c": 18.38}),
        (ble_ela.decode, "420b00", {"moving": True, "count": 5}),
        (ble_ela.decode, "f164", {"battery": 100}),
        (ble_ela.decode, "f2b80b", {"battery_mv": 3000}),
        (ble_kkm.decode, "2101110e5b01", {"battery_mv": 3675}),
        (ble_kontakt.decode, "03031711aa02aabb", {"frame": "telemetry"}),
        (ble_gatt.decode_temperature, "0080", {"temperature_c": None}),
        (ble_gatt.decode_humidity, "32", {"humidity": 50}),
        (ble_gatt.decode_humidity, "8813", {"humidity": 50.0}),
        (ble_gatt.decode_battery, "64", {"battery": 100}),
        (ble_feasycom.decode, "27021992aabbccddeeff65", {"battery": None, "plugged_in": True}),
        (
            ble_mikrotik.decode,
            "010010a90000fdff01000080" + "6be86600" + "0062",
            {"temperature_c": None, "acc_g": [0.0, -3 / 256, 1 / 256]},
        ),
        (
            ble_moko.decode_beaconx,
            "60000a0001000064ff9c04000c9b" + "00def14635998a",
            {"frame": "acc", "acc_raw": [100, -100, 1024], "battery_mv": 3227},
        ),
        (
            ble_estimote.decode,
            "12" + ESTIMOTE_A + "e2" + "01" + "02ffffff",
            {"version": 1, "moving": True, "firmware_error": False, "clock_error": True},
        ),
        (
            ble_estimote.decode,
            "02" + ESTIMOTE_A + "c5" + "00" + "ffffffff",
            {"cur_motion_s": 432000},
        ),
        (
            ble_estimote.decode,
            "02" + ESTIMOTE_A + "e2" + "00" + "ffffffff",
            {"cur_motion_s": 2 * 7 * 86_400},
        ),
        (
            ble_estimote.decode,
            ESTIMOTE_B + "ff" + "0531" + "00" + "fc" + "ff" + "ff",
            {
                "magnetic": None,
                "light_lux": None,
                "uptime_s": 0x105 * 86_400,
                "battery_mv": None,
                "battery": None,
                "temperature_c": 0.0,
            },
        ),
        (
            ble_mibeacon.decode,
            "4050" + "aa01" + "a3" + "014c04" + "0000bc41" + "024c0137",
            {"temperature_c": 23.5, "humidity": 55},
        ),
        (
            ble_mibeacon.decode,
            "4050" + "aa01" + "a3" + "0a100164" + "ff4f0101" + "0410",
            {"battery": 100, "unknown_objects": ["4fff"], "error": "truncated"},
        ),
        (ble_mibeacon.decode, "4050aa01a3014c04" + "0000c07f", {"temperature_c": None}),
    ],
)
def test_frames(contains, decoder, payload, expected):
    assert contains(expected, decoder(bytes.fromhex(payload)))


@pytest.mark.parametrize(
    "decoder, payload",
    [
        (ble_teltonika.decode, "0101ff"),
        (ble_teltonika.decode, "0101ff3800"),
        (ble_teltonika.decode, "0201ff38"),
        (ble_ela.decode, "1285"),
        (ble_ela.decode, "99"),
        (ble_kkm.decode, "2101070e5b16531f"),
        (ble_kkm.decode, "2101010e5b00"),
        (ble_kontakt.decode, "03"),
        (ble_kontakt.decode, "0305aa"),
        (ble_kontakt.decode, "0300"),
        (ble_kontakt.decode, "05f4250a01"),
        (ble_gatt.decode_temperature, "86"),
        (ble_gatt.decode_battery, "65"),
        (ble_feasycom.decode, "99021992aabbccddeeff64"),
        (ble_feasycom.decode, "27021992aabbccddeeff66"),
        (ble_moko.decode_p1, "02160900f15427e0304f16031e0d3a190e0a00000000b0"),
        (ble_moko.decode_beaconx, "50000a011201ee0caf03def14635998a"),
        (ble_estimote.decode, "2247a038d5eb03264002d842ed73492566bc2e50"),
        (ble_estimote.decode_nearable, "021efe427eb6f4bc2f040168a1aafe05c1452553"),
    ],
)
def test_foreign(decoder, payload):
    assert decoder(bytes.fromhex(payload)) is None


def test_a_relayed_mibeacon_is_not_put_down_to_the_relay():
    payload = bytes.fromhex("5020aa01a3bf2e3b342d580d1004b4009502")
    assert ble_mibeacon.decode(payload, "58:2D:34:3B:2E:BE") is None
    assert ble_mibeacon.decode(payload, None)["mac"] == "582d343b2ebf"


def test_mibeacon_extended_capability_and_encryption_before_version_4():
    extended = bytes.fromhex("6050aa01a3" + "2001" + "0a100164")
    assert ble_mibeacon.decode(extended)["battery"] == 100
    old = bytes.fromhex("4830aa01a3" + "00" * 12)
    assert ble_mibeacon.decode(old, None, bytes(16))["error"] == "unsupported_encryption"
    new = bytes.fromhex("4850aa01a3" + "00" * 12)
    assert ble_mibeacon.decode(new, None, bytes(16))["error"] == "no_address"
    assert ble_mibeacon.decode(new, None, None)["error"] == "no_key"
    assert ble_mibeacon.decode(new[:10], None, None)["error"] == "truncated"
