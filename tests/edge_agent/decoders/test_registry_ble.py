"""Every BLE format against the vectors, and what all formats must keep."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import ble_rpa, registry_ble
from edge_agent.decoders.ble_advert import Advert, parse_raw
from edge_agent.decoders.ble_fields import service_uuid

VECTORS = json.loads(Path(__file__).with_name("vectors_ble.json").read_text())
PAYLOADS = [v for v in VECTORS if v["protocol"] in registry_ble.FORMATS]


def fits(expected, got):
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(
            key in got and fits(value, got[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        same = isinstance(got, list) and len(expected) == len(got)
        return same and all(map(fits, expected, got))
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return isinstance(got, int | float) and math.isclose(
            expected, got, rel_tol=1e-3, abs_tol=1e-9
        )
    return expected == got


def octets(vector, name):
    return bytes.fromhex(vector[name]) if name in vector else None


def advert(vector):
    parts = vector["ble"]
    return Advert(
        {int(k): bytes.fromhex(v) for k, v in parts.get("manufacturer_data", {}).items()},
        {k: bytes.fromhex(v) for k, v in parts.get("service_data", {}).items()},
        vector.get("address"),
        octets(vector, "key"),
    )


@pytest.mark.parametrize("row", PAYLOADS, ids=lambda v: v["id"])
def test_vector(row):
    name, expected = row["protocol"], row["expect"]
    payload = bytes.fromhex(row["hex"])
    key = octets(row, "key")
    answers = [registry_ble.decode_payload(name, payload, row.get("address"), key)]
    if "ble" in row:
        answers.append(registry_ble.decode_format(name, advert(row)))
    for got in answers:
        assert got is None if "decoded" in expected else fits(expected, got), got


@pytest.mark.parametrize(
    "row", [v for v in VECTORS if v["protocol"] == "ble_rpa"], ids=lambda v: v["id"]
)
def test_random_address_vector(row):
    assert fits(row["expect"], ble_rpa.decode(row["address"], octets(row, "irk")))


@pytest.mark.parametrize(
    "row", [v for v in VECTORS if v["protocol"] == "ble_combined"], ids=lambda v: v["id"]
)
def test_combined_vector(row):
    raw = parse_raw(bytes.fromhex(row["hex"]))
    assert raw.manufacturer_data == advert(row).manufacturer_data
    for advertisement in (raw, advert(row)):
        parts = {found.part: found.frame for found in registry_ble.decode_all(advertisement)}
        assert fits(row["expect"], parts)


@pytest.mark.parametrize("row", PAYLOADS, ids=lambda v: v["id"])
def test_truncations_are_refused_or_valid(row):
    payload = bytes.fromhex(row["hex"])
    for size in range(len(payload)):
        got = registry_ble.decode_payload(
            row["protocol"], payload[:size], row.get("address"), octets(row, "key")
        )
        assert got is None or isinstance(got, dict)
        json.dumps(got, allow_nan=False)


@pytest.mark.parametrize("name", registry_ble.FORMATS)
def test_random_bytes_never_raise(name):
    starts = [bytes.fromhex(v["hex"]) for v in PAYLOADS if v["protocol"] == name] or [b""]

    @given(st.sampled_from(starts), st.integers(0, 30), st.binary(max_size=30))
    def check(start, size, rest):
        got = registry_ble.decode_payload(name, start[:size] + rest, "54:48:E6:8F:80:A5", bytes(16))
        assert got is None or (isinstance(got, dict) and got)
        json.dumps(got, allow_nan=False)

    check()


def test_no_payload_of_one_format_is_taken_by_another_of_its_place():
    for vector in PAYLOADS:
        if "ble" in vector and "decoded" not in vector["expect"]:
            (found,) = registry_ble.decode_all(advert(vector))
            assert found.format == vector["protocol"]


def test_an_ibeacon_under_another_number_is_foreign():
    beacon = bytes.fromhex("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5")
    (found,) = registry_ble.decode_all(Advert({9: beacon}))
    assert found == ("mfr_9", None, None)
    (moko,) = registry_ble.decode_all(Advert({0x0A62: beacon}))
    assert moko.format == "ble_moko_p1"  # alike by design: the company number tells them apart


def test_parts_are_named_by_company_and_service():
    uuid = "12345678-0000-1000-8000-00805f9b34fb"
    found = registry_ble.decode_all(Advert({}, {service_uuid(0xFD6F): b"", uuid: b""}))
    assert [part.part for part in found] == ["svc_fd6f", f"svc_{uuid}"]


def test_raw_structures_with_services_and_padding():
    raw = parse_raw(bytes.fromhex("05166e2a860b0000"))
    assert raw.service_data == {service_uuid(0x2A6E): b"\x86\x0b"}
    long = parse_raw(bytes((18, 0x21, *range(16), 0xAA)))
    assert long.service_data == {"0f0e0d0c-0b0a-0908-0706-050403020100": b"\xaa"}
    assert parse_raw(bytes.fromhex("05166e2a86")) is None


@given(st.binary(max_size=62))
def test_random_radio_bytes_never_raise(data):
    raw = parse_raw(data)
    assert raw is None or list(registry_ble.decode_all(raw)) is not None
