from edge_agent.decoders import ble_ruuvi

NOTHING_5 = "058000ffffffff800080008000ffffffffffffffffffffff"
NOTHING_6 = "068000ffffffffffffffffffffff00ffc0ffffff"


def test_format_5_with_nothing_measured():
    frame = ble_ruuvi.decode(bytes.fromhex(NOTHING_5))
    assert frame.pop("format") == 5
    assert frame.pop("acc_mg") == [None, None, None]
    assert set(frame.values()) == {None}


def test_format_6_with_nothing_measured():
    frame = ble_ruuvi.decode(bytes.fromhex(NOTHING_6))
    measured = ("temperature_c", "humidity", "pressure_pa", "pm2_5", "co2", "voc", "nox")
    assert {frame[name] for name in measured} == {None} and frame["luminosity_lx"] is None


def test_format_6_keeps_the_ninth_bits_in_the_flags():
    data = bytearray.fromhex("06170c5668c79e007000c90501d9ffcd004c884f")
    data[16] = 0x40
    assert ble_ruuvi.decode(bytes(data))["voc"] == 11
    data[16] = 0x80
    assert ble_ruuvi.decode(bytes(data))["nox"] == 3


def test_format_3_has_sign_and_magnitude():
    data = bytearray.fromhex("03291a1ece1efc18f94202ca0b53")
    data[2] |= 0x80
    assert ble_ruuvi.decode(bytes(data))["temperature_c"] == -26.3


def test_a_format_has_one_length():
    for payload in (NOTHING_5 + "00", NOTHING_6 + "00", "0329", "05", "04" * 24):
        assert ble_ruuvi.decode(bytes.fromhex(payload)) is None
