import io
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent import cli, decode_command
from edge_agent.decoders.registry_ble import FORMATS

SHARED = Path(__file__).parents[3] / "shared" / "protocols" / "vectors.json"
IBEACON = "0215e2c56db5dffb48d2b060d0f5a71096e000640000c5"
M100_TAG = "bb02220011cf3000e280699500005009f1286992620a6d7e"


def fits(expected, got):
    """Every key that is named has that value; numbers to a thousandth."""
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(
            key in got and fits(value, got[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        same = isinstance(got, list) and len(expected) == len(got)
        return same and all(map(fits, expected, got))
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        number = isinstance(got, int | float) and not isinstance(got, bool)
        return number and math.isclose(expected, got, rel_tol=1e-3, abs_tol=1e-9)
    return expected == got


def frames_fit(expected, frames):
    if "frames" in expected:
        return fits(expected["frames"], frames)
    if "lines" in expected:
        return expected["lines"] == [frame["line"] for frame in frames]
    if "sentences" in expected:
        return expected["sentences"] == [frame["sentence"] for frame in frames if frame["valid"]]
    return len(frames) == 1 and fits(expected, frames[0])


def verdict(vector):
    """What is wrong with one vector, or None."""
    expected, protocol = vector["expect"], vector["protocol"]
    if protocol.startswith("ble_"):
        got = decode_command.decode_advert(protocol, vector)
        good = got is None if "decoded" in expected else fits(expected, got)
    else:
        chunks = [bytes.fromhex(chunk) for chunk in vector.get("chunks", [vector["hex"]])]
        got = decode_command.decode_stream(protocol, chunks, vector["direction"])
        good = frames_fit(expected, got)
    return None if good else f"{vector['id']}: expected {expected}, got {got}"


@pytest.mark.skipif(not SHARED.exists(), reason=f"no {'/'.join(SHARED.parts[-3:])} beside this")
def test_every_shared_vector():
    vectors = json.loads(SHARED.read_text())
    wrong = [text for text in map(verdict, vectors) if text]
    assert not wrong, "\n" + "\n".join(wrong)
    assert len(vectors) == 223


def run(protocol, text, **options):
    out, err = io.StringIO(), io.StringIO()
    lines = io.BytesIO(text.encode("utf-8", "surrogateescape"))
    status = decode_command.run(protocol, lines, out, err, **options)
    return status, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def test_one_array_of_frames_a_line():
    status, (first, second), err = run("m100", f"{M100_TAG[:12]} {M100_TAG[12:]}\n{M100_TAG * 2}\n")
    assert (status, err) == (0, "")
    assert [frame["epc"] for frame in first] == ["e280699500005009f1286992"]
    assert len(second) == 2


def test_a_protocol_has_the_name_of_the_settings_too():
    assert run("tsl", "") == (0, [], "")
    assert run("tsl_ascii2", "") == (0, [], "")


def test_commands_to_the_reader_are_described():
    status, answers, _ = run("m100", "bb00220000227e", direction="host_to_reader")
    assert (status, answers[0][0]["meaning"]) == (0, "single poll")
    status, answers, err = run("m100", "bb\n\n", direction="host_to_reader")
    assert (status, answers) == (1, [[]]) and err.startswith("line 1: not a command")


def test_bad_lines_are_told_and_the_others_decoded():
    status, answers, err = run("m100", f"zz\n{M100_TAG}\nbb0\n\udcff\n")
    assert status == 1 and len(answers) == 1
    numbers = [line.partition(":")[0] for line in err.splitlines()]
    assert numbers == ["line 1", "line 3", "line 4"]


def test_unknown_protocols_are_refused_with_the_list():
    status, answers, err = run("nonsense", M100_TAG)
    assert (status, answers) == (2, []) and " r2000_a0 " in err and " barcode_line " in err
    assert run(None, M100_TAG)[0] == 2
    assert run("m100", "{}", ble=True)[0] == 2


def test_an_advertisement_by_one_format():
    record = {"ble": {"manufacturer_data": {"76": IBEACON}}}
    assert run("ble_ibeacon", json.dumps(record), ble=True)[1][0]["major"] == 100
    assert run("ble_ruuvi", json.dumps(record), ble=True) == (0, [None], "")
    assert run("ble_ibeacon", json.dumps(record["ble"]), ble=True)[1][0]["major"] == 100
    assert run("ble_ibeacon", json.dumps({"hex": IBEACON}), ble=True)[1][0]["major"] == 100


def test_an_advertisement_by_every_format():
    record = {"manufacturer_data": {"76": IBEACON, "9": "00"}, "service_data": {"2a6e": "860b"}}
    _, [answer], _ = run(None, json.dumps(record), ble=True)
    assert answer["mfr_76"]["major"] == 100 and answer["mfr_9"] is None
    assert answer["svc_2a6e"] == {"temperature_c": 29.5}


def test_payloads_as_hexadecimal():
    assert run("ble_ibeacon", IBEACON)[1][0][0]["minor"] == 0
    assert run("ble_ibeacon", "00")[1] == [[]]
    raw = "0201061aff4c00" + IBEACON
    assert run("ble_combined", raw)[1][0][0]["mfr_76"]["major"] == 100
    assert run("ble_combined", raw[:-2])[1] == [[]]


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        '{"ble": 1}',
        '{"hex": 1}',
        '{"manufacturer_data": {"x": "00"}}',
        '{"manufacturer_data": [1]}',
        '{"service_data": {"zzzz": "00"}}',
        '{"hex": "00", "address": 5}',
        '{"hex": "00", "key": "x"}',
    ],
)
def test_bad_records_are_told(record):
    for protocol in (None, "ble_bthome2"):
        status, answers, err = run(protocol, record + "\n", ble=True)
        assert (status, answers) == (1, []) and err.startswith("line 1: ")


def test_a_key_of_the_wrong_length_is_no_key():
    record = {"hex": "41a47266c95f730011223378237214", "key": "00", "address": "54:48:E6:8F:80:A5"}
    assert run("ble_bthome2", json.dumps(record), ble=True)[1][0]["error"] == "no_key"
    rpa = {"address": "70:81:94:0D:FB:AA", "irk": "00"}
    assert run("ble_rpa", json.dumps(rpa), ble=True)[1][0]["match"] is None


def test_the_command_line(monkeypatch, capsys):
    class Stdin:
        buffer = io.BytesIO(M100_TAG.encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    assert cli.main(["decode", "m100"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["rssi_dbm"] == -49
    assert cli.main(["decode", "nonsense"]) == 2


@pytest.mark.parametrize("protocol", decode_command.names())
def test_no_bytes_raise(protocol):
    @given(st.lists(st.binary(max_size=40), max_size=3))
    def check(chunks):
        json.dumps(decode_command.decode_stream(protocol, chunks), allow_nan=False)

    check()


@pytest.mark.parametrize("protocol", decode_command.names())
def test_what_is_no_command_is_told(protocol):
    @given(st.binary(max_size=40))
    def check(data):
        try:
            decode_command.decode_stream(protocol, [data], "host_to_reader")
        except ValueError as error:
            assert "not a command" in str(error)

    check()


@given(st.sampled_from([None, *FORMATS]), st.binary(max_size=40), st.integers(0, 0xFFFF))
def test_no_advertisement_raises(protocol, data, number):
    parts = {
        "manufacturer_data": {str(number): data.hex(), "76": data.hex()},
        "service_data": {f"{number:04x}": data.hex()},
        "address": "54:48:E6:8F:80:A5",
        "key": "00" * 16,
    }
    json.dumps(decode_command.decode_advert(protocol, parts), allow_nan=False)
