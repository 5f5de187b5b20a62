"""What of all the values goes on: changes, at a bounded rate, and a repetition now and then."""

import pytest

from edge_agent.decoders.readings import SensorReading
from edge_agent.sensor_values import News, number
from pipeline.contracts.codec import Measured

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


@pytest.mark.parametrize("value, said", [(True, 1.0), (3, 3.0), ("hold_press", 128.0), ("x", None)])
def test_numbers(value, said):
    assert number(value) == said
