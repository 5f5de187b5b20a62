import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.decoders.replay import Heard, LineDecoder, LineError
from pipeline.contracts.reads import NO_RSSI

ADVERT = {
    "at_us": 1234,
    "adapter": "ble0",
    "address": "C4:A1:38:00:00:01",
    "address_type": "public",
    "rssi_dbm": -61.5,
    "manufacturer_data": {"76": "0215e2c56db5dffb48d2b060d0f5a71096e000640000c5"},
    "service_data": {},
}
READ = {"at_us": 5, "receiver": "portal-1/2", "tag": "epc:e2", "rssi_dbm": -55, "kind": "rfid"}


def decode(record):
    return LineDecoder().decode(json.dumps(record).encode())


def test_an_advertisement_goes_through_the_real_decoder():
    tag = "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/100/0"
    assert decode(ADVERT) == Heard(1234, tag, "ble0", 1, -6150)


def test_one_that_names_nothing_lasting_still_carries_time():
    phone = ADVERT | {"address": "70:81:94:0D:FB:AA", "address_type": "random"}
    phone["manufacturer_data"] = {}
    assert decode(phone) == Heard(1234, None, "ble0", 1, -6150)


def test_a_finished_read_and_a_marker():
    assert decode(READ) == Heard(5, "epc:e2", "portal-1/2", 2, -5500)
    assert decode({"until_us": 77}) == 77
    assert decode(READ | {"rssi_dbm": None}).cdbm == NO_RSSI


@pytest.mark.parametrize(
    "record",
    [
        [],
        7,
        {},
        {"at_us": 1},
        READ | {"at_us": 1.5},
        READ | {"at_us": True},
        READ | {"at_us": "1"},
        READ | {"at_us": 2**70},
        READ | {"rssi_dbm": "strong"},
        READ | {"rssi_dbm": -4000},
        READ | {"kind": "smell"},
        READ | {"tag": "EPC"},
        READ | {"tag": None},
        READ | {"tag": "epc:é"},
        READ | {"receiver": "Portal"},
        READ | {"receiver": 3},
        ADVERT | {"adapter": "hci 0"},
        ADVERT | {"manufacturer_data": {"76": "xyz"}},
        ADVERT | {"manufacturer_data": {"apple": "00"}},
        ADVERT | {"manufacturer_data": [1]},
        ADVERT | {"manufacturer_data": {"76": [1]}},
        ADVERT | {"address": None},
        {"until_us": None},
    ],
)
def test_bad_lines_are_refused(record):
    with pytest.raises(LineError):
        decode(record)


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_not_raised(line):
    with suppress(LineError):
        LineDecoder().decode(line)


text = st.text("ab:/019", max_size=5)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    text,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(text, text, max_size=2),
)


@given(st.dictionaries(st.sampled_from([*ADVERT, *READ, "until_us"]), values))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_refused_not_raised(record):
    for base in (ADVERT, READ):
        with suppress(LineError):
            decode(base | record)
