import pytest

from edge_agent.decoders import r2000

PROTOCOL = "r2000_a0"


def test_vector(vector, check_stream, contains):
    if vector["direction"] == "reader_to_host":
        check_stream(vector, r2000.Decoder)
        return
    frame = bytes.fromhex(vector["hex"])
    described = r2000.describe_command(frame)
    assert contains(vector["expect"], described)
    assert r2000.encode(described["command"], bytes.fromhex(described["data"])) == frame


@pytest.mark.parametrize("raw, dbm", [(89, -41.0), (90, -39.0), (69, -61.0), (0xC5, -61.0)])
def test_level_has_the_step_of_the_vendors_table(raw, dbm):
    data = bytes.fromhex("043000e200301666130121155074ef") + bytes([raw])
    (frame,) = r2000.Decoder().feed(r2000.encode(0x89, data))
    assert frame["rssi_dbm"] == dbm
    assert frame["rssi_raw"] == raw


def test_phase_mode_appends_two_bytes():
    data = bytes.fromhex("043000e200301666130121155074ef450123")
    (frame,) = r2000.Decoder().feed(r2000.encode(0x89, data))
    assert frame["epc"] == "e200301666130121155074ef"
    assert (frame["rssi_raw"], frame["phase"]) == (0x45, 0x0123)


def test_fast_switching_end_and_missing_antenna():
    end = r2000.encode(0x8A, bytes.fromhex("000005000003e8"))
    missing = r2000.encode(0x8A, b"\x02\x22")
    frames = r2000.Decoder().feed(end + missing)
    assert (frames[0]["total"], frames[0]["duration_ms"]) == (5, 1000)
    assert (frames[1]["type"], frames[1]["antenna"], frames[1]["error"]) == ("error", 2, 0x22)


def test_one_byte_queries_are_values_not_results():
    (frame,) = r2000.Decoder().feed(r2000.encode(0x75, b"\x10"))
    assert frame == {"type": "response", "command": 0x75, "data": "10"}


def decoded(command, hexadecimal):
    (frame,) = r2000.Decoder().feed(r2000.encode(command, bytes.fromhex(hexadecimal)))
    return frame


def test_temperature():
    assert decoded(0x7B, "012a")["temperature_c"] == 42
    assert decoded(0x7B, "0005")["temperature_c"] == -5


def test_return_loss_and_power_are_values_not_codes():
    for command in (0x7E, 0x77, 0x75):
        assert decoded(command, "11")["type"] == "response"
    assert decoded(0x7E, "11")["data"] == "11"


def test_every_error_has_words():
    for code in r2000.ERRORS:
        frame = decoded(0x89, f"{code:02x}")
        assert (frame["type"], frame["error"]) == ("error", code) and "0x" not in frame["meaning"]
    assert decoded(0x89, "99")["meaning"] == "error 0x99"
