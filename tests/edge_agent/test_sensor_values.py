"""What of all the values goes on: changes, at a bounded rate, and a repetition now and then."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders.ble_fields import service_uuid
from edge_agent.decoders.ble_tags import BleTags
from edge_agent.decoders.readings import SensorReading
from edge_agent.decoders.registry_ble import ANY, FORMATS
from edge_agent.sensor_values import News, number
from pipeline.contracts.codec import Measured, build_batch, decode_batch, encode_batch
from pipeline.contracts.reads import ClockState

TAG = "ble:c4a138000001"
S = 1_000_000


class Tag:
    """One sensor and what became of its values."""

    def __init__(self, quantity="temperature_c", **options):
        self.quantity = quantity
        self.news = News(**{"interval_s": 10, "refresh_s": 60} | options)

    def says(self, value, at_s):
        return self.news.take(SensorReading(TAG, self.quantity, value), at_s * S)


def test_a_first_value_goes_on():
    assert Tag().says(20.5, 7) == Measured(TAG, "temperature_c", 7 * S, 20.5)


def test_the_same_again_waits_for_its_time():
    tag = Tag()
    tag.says(20.5, 0)
    assert [bool(tag.says(20.5, at_s)) for at_s in (1, 10, 59, 60, 61, 120)] == [
        *(False, False, False, True, False, True)
    ]


def test_a_number_goes_on_at_most_once_in_the_interval():
    tag = Tag()
    went = [at_s for at_s in range(40) if tag.says(20.0 + at_s / 100, at_s)]
    assert went == [0, 10, 20, 30]


def test_a_change_that_had_to_wait_is_not_lost():
    tag = Tag()
    tag.says(20.0, 0)
    assert tag.says(30.0, 1) is None
    assert tag.says(30.0, 11).value == 30.0


def test_a_flag_goes_on_whenever_it_changes():
    tag = Tag("motion")
    went = [tag.says(value, at_s) for at_s, value in enumerate([True, True, False, True])]
    assert [m and m.value for m in went] == [1.0, None, 0.0, 1.0]


def test_every_press_goes_on():
    tag = Tag("button")
    assert [tag.says(said, at_s).value for at_s, said in enumerate(["press"] * 2)] == [1.0, 1.0]
    assert tag.says("event_7f", 9) is None


def test_a_clock_set_back_does_not_silence_a_sensor():
    tag = Tag()
    tag.says(20.0, 1_000_000)
    assert tag.says(20.0, 10) is not None


def test_memory_is_bounded():
    news = News(limit=2)
    for serial in range(9):
        news.take(SensorReading(str(serial), "motion", True), 0)
    assert len(news._last) <= 2


@pytest.mark.parametrize(
    "value, said", [(True, 1.0), (3, 3.0), ("hold_press", 128.0), ("x", None), (math.nan, None)]
)
def test_numbers(value, said):
    assert number(value) == said


COMPANIES = sorted(f.company for f in FORMATS.values() if f.company not in (None, ANY))
SERVICES = sorted(service_uuid(f.service) for f in FORMATS.values() if f.service is not None)
HEADS = [
    "0215",
    "beac",
    "00",
    "20",
    "2101",
    "05",
    "03",
    "06",
    "40",
    "44",
    "a101",
    "ca03",
    "51",
    "01",
]
payloads = st.builds(
    lambda head, rest: bytes.fromhex(head) + rest, st.sampled_from(HEADS), st.binary(max_size=26)
)


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(COMPANIES), payloads, max_size=2),
            st.dictionaries(st.sampled_from(SERVICES), payloads, max_size=2),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_is_in_the_air_fits_into_a_batch(adverts):
    """One value that does not would take the reads of its batch with it."""
    tags, news = BleTags(), News(interval_s=0)
    sensors = []
    for at_s, (company, service) in enumerate(adverts):
        _, values = tags.take("C4:A1:38:00:00:01", "public", company, service, float(at_s))
        sensors += [m for v in values if (m := news.take(v, at_s * S)) is not None]
    empty = {"tags": [], "receivers": [], "time_us": [], "count": [], "kind": []}
    levels = {"rssi_cdbm": [], "peak_cdbm": []}
    envelope = {"gateway": "g1", "boot": "0" * 8, "sequence": 1, "until_us": 0}
    envelope["clock"] = ClockState(synchronised=True)
    batch = decode_batch(encode_batch(build_batch(envelope, **empty, **levels, sensors=sensors)))
    assert (batch.sensors is None) == (not sensors)
    assert not sensors or len(batch.sensors) == len(sensors)
