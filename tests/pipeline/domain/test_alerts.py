"""A rule opens once when a visit begins, resolves once when it ends, for whom it applies to."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

import pytest

from pipeline.domain.alerts import forbidden_zone
from pipeline.domain.events import Visit
from pipeline.domain.fences import visit_id


@pytest.fixture
def visit(synthetic, site):
    def make(asset: int, zone: int, entered: int, left: int | None = None, reason="dwell") -> Visit:
        return Visit(
            id=visit_id(site.assets[asset].id, site.zones[zone].id, synthetic.us(entered)),
            asset=asset,
            place=zone,
            entered_us=synthetic.us(entered),
            left_us=None if left is None else synthetic.us(left),
            decided_us=synthetic.us(99),
            initial=False,
            reason=reason,
            confidence=0.8125,
        )

    return make


@pytest.fixture
def tell(synthetic, site):
    """The transitions that these visits cause at second 99."""
    where = {
        "x_m": [11.0, 2.0, 3.0, 4.0],
        "y_m": [5.0] * 4,
        "floor": [0, 0, 0, -1],
        "room": [1] * 4,
    }
    tracks = synthetic.tracks(len(site.assets), **where)
    return lambda *visits, of=site: forbidden_zone(of, tracks, list(visits), synthetic.us(99))


def test_opened_on_entry(synthetic, site, visit, tell):
    entry = visit(synthetic.PUMP, synthetic.IN_STORE, 7)
    (opened,) = tell(entry)
    assert (opened.state, opened.revision) == ("open", 1)
    assert opened.id == uuid5(site.rules[0].id, f"{site.assets[0].id}/{synthetic.us(7)}")
    assert (opened.rule, opened.asset, opened.zone, opened.room, opened.floor) == (0, 0, 0, 1, 0)
    assert (opened.opened_us, opened.at_us) == (synthetic.us(7), synthetic.us(99))
    assert (opened.x_m, opened.y_m) == (11.0, 5.0)
    assert opened.reason == "entered the store and stayed for at least 5 s"
    assert opened.evidence == {
        "visit_id": str(entry.id),
        "entered_us": synthetic.us(7),
        "left_us": None,
        "initial": False,
        "confidence": 0.812,
    }


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("left", "resolved: it left the zone (the store)"),
        ("timeout", "resolved: it has not been heard (the store)"),
        ("tolerance_timeout",
         "resolved: it stayed outside, within the exit tolerance, for too long (the store)"),
    ],
)  # fmt: skip
def test_resolved_on_exit_under_the_same_id(synthetic, visit, tell, reason, text):
    (opened,) = tell(visit(synthetic.PUMP, synthetic.IN_STORE, 7))
    (resolved,) = tell(visit(synthetic.PUMP, synthetic.IN_STORE, 7, 50, reason))
    assert (resolved.id, resolved.opened_us) == (opened.id, opened.opened_us)
    assert (resolved.state, resolved.revision, resolved.reason) == ("resolved", 2, text)


def test_first_seen_inside_says_so(synthetic, visit, tell):
    entry = replace(visit(synthetic.PUMP, synthetic.IN_STORE, 7), initial=True)
    assert tell(entry)[0].reason == "first seen inside the store and stayed for at least 5 s"


def test_a_crossing_opens_and_resolves(synthetic, visit, tell):
    both = tell(visit(synthetic.PUMP, synthetic.IN_STORE, 7, 7, "crossed"))
    assert [(t.state, t.revision) for t in both] == [("open", 1), ("resolved", 2)]
    assert both[0].id == both[1].id


def test_other_categories_and_other_zones_are_none_of_its_business(synthetic, visit, tell):
    assert tell(visit(synthetic.BED, synthetic.IN_STORE, 7)) == []
    assert tell(visit(synthetic.PUMP, synthetic.BAY, 7)) == []


def test_a_rule_without_categories_is_for_everything(synthetic, visit, tell):
    assert [t.asset for t in tell(*(visit(a, synthetic.IN_ICU, 7) for a in range(4)))] == [
        0, 1, 2, 3
    ]  # fmt: skip


def test_two_rules_on_one_zone_are_two_alerts(synthetic, site, visit, tell):
    other = replace(site.rules[0], id=synthetic.identity("rule", "c"), code="c")
    doubled = replace(site, rules=(*site.rules, other))
    both = tell(visit(synthetic.PUMP, synthetic.IN_STORE, 7), of=doubled)
    assert [t.rule for t in both] == [0, 2]
    assert both[0].id != both[1].id


def test_another_entry_is_another_alert(synthetic, visit, tell):
    first, second = tell(
        visit(synthetic.PUMP, synthetic.IN_STORE, 7), visit(synthetic.PUMP, synthetic.IN_STORE, 60)
    )
    assert first.id != second.id


def test_an_asset_on_no_floor_still_has_numbers(synthetic, visit, tell):
    (opened,) = tell(visit(synthetic.SCOPE, synthetic.IN_ICU, 7))
    assert (opened.floor, opened.z_m) == (-1, 0.0)
