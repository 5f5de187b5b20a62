"""The rules, with times made up."""

from __future__ import annotations

import pytest

from pipeline.observability.flow_metrics import Progress
from pipeline.observability.health import Limits, Seen, rules

LIMITS = Limits(unhealthy_after_s=30.0, epoch_s=0.5, gateway_timeout_s=20.0)
NOW_S = 1000.0


def seen(**changes: object) -> Seen:
    fine = {
        "now_s": NOW_S,
        "turned_s": NOW_S - 0.01,
        "committing": False,
        "committed_s": NOW_S - 900.0,
        "waiting_s": None,
        "broker_lost_s": None,
        "broker_problem": None,
        "buildings": [],
    }
    return Seen(**(fine | changes))  # type: ignore[arg-type]


def still(key: str, since_s: float, arrived_s: float = NOW_S) -> Progress:
    return Progress(key, arrived_s=arrived_s, still_since_s=since_s)


def failing(**changes: object) -> dict[str, str]:
    return {check.name: check.detail for check in rules(seen(**changes), LIMITS) if not check.good}


def test_idle_is_healthy() -> None:
    assert failing() == {}
    assert failing(buildings=[still("a", 0.0, arrived_s=100.0)]) == {}


@pytest.mark.parametrize(
    ("name", "limit_s", "since"),
    [("loop", 30.0, "turned_s"), ("sink", 30.5, "waiting_s"), ("broker", 30.0, "broker_lost_s")],
)
def test_each_fails_above_its_limit(name: str, limit_s: float, since: str) -> None:
    assert failing(**{since: NOW_S - limit_s + 0.1}) == {}
    assert set(failing(**{since: NOW_S - limit_s - 0.1})) == {name}


def test_a_database_that_is_away_is_not_blamed_on_the_loop() -> None:
    away = {"waiting_s": NOW_S - 100, "turned_s": NOW_S - 100, "committing": True}
    assert set(failing(**away)) == {"sink"}
    # Just after it came back the loop has not turned yet.
    back = {"turned_s": NOW_S - 100, "committed_s": NOW_S - 0.1}
    assert failing(**back) == {}
    assert set(failing(turned_s=NOW_S - 100, committed_s=NOW_S - 99)) == {"loop"}


def test_what_the_broker_said_is_told() -> None:
    lost = {"broker_lost_s": NOW_S - 100, "broker_problem": "the broker refuses us"}
    assert failing(**lost) == {"broker": "the broker refuses us"}


def test_the_watermark_that_stands_still_is_named() -> None:
    limit_s = LIMITS.watermark_s
    assert limit_s == 50.0
    buildings = [still("a", NOW_S - limit_s + 1), still("b", NOW_S - limit_s - 1)]
    assert failing(buildings=buildings) == {"watermark": "stands still while reads arrive: b"}
    many = [still(f"b{number:02d}", 0.0) for number in range(13)]
    told = failing(buildings=many)["watermark"]
    assert told.endswith("b08, b09 and 3 more")


def test_every_check_says_what_to_do() -> None:
    assert all(check.advice and check.detail for check in rules(seen(), LIMITS))
