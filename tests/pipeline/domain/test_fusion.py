"""Which source is believed: hard constraints, ranks, errors that grow, and a rule per site."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.fusion import (
    FusionRules,
    Sighting,
    Source,
    SourceRule,
    fuse,
    portal_direction,
)

S = 1_000_000
RULES = FusionRules()
RADIO = Sighting(Source.RADIO, 100 * S, 5.0, 5.0, 3.0, floor=0, room=1)
PORTAL = Sighting(Source.PORTAL, 99 * S, 12.0, 6.0, 1.5, floor=0, room=2, entered=True)
SCAN = Sighting(Source.SCAN, 90 * S, 20.0, 3.0, 4.0, floor=1, room=3)
GPS = Sighting(Source.GPS, 100 * S, 80.0, 80.0, 8.0)


def believed(*sightings, at_s=100, rules=RULES, rests_since_us=None):
    return fuse(sightings, at_s * S, rules, rests_since_us)


def test_a_portal_read_is_a_hard_constraint_and_ages():
    found = believed(RADIO, PORTAL)
    assert (found.sighting, found.reason, found.inside) == (PORTAL, "portal_holds", (2, True))
    assert [source for source, _ in found.contenders] == [Source.PORTAL, Source.RADIO]
    later = replace(RADIO, at_us=111 * S)
    assert believed(later, PORTAL, at_s=111).sighting == later


def test_a_portal_with_direction_says_who_left():
    out = replace(PORTAL, entered=False)
    assert believed(RADIO, out).inside == (2, False)


def test_of_two_constraints_the_later():
    assert believed(SCAN, PORTAL).sighting == PORTAL
    assert believed(replace(SCAN, at_us=100 * S), PORTAL).sighting.source == Source.SCAN


def test_indoors_radio_beats_gps_and_outdoors_gps_beats_a_hopeless_radio():
    assert believed(RADIO, GPS).sighting == RADIO
    lost = replace(RADIO, error_m=60.0)
    found = believed(lost, GPS)
    assert (found.sighting, found.reason) == (GPS, "higher_rank")
    assert believed(lost, replace(GPS, error_m=20.0)).reason == "smaller_error"


def test_errors_grow_with_age_but_hardly_at_rest():
    old = replace(RADIO, at_us=60 * S)
    assert believed(old).error_m == pytest.approx(3.0 + 0.5 * 40)
    assert believed(old, rests_since_us=0).error_m == pytest.approx(3.0 + 0.5 * 40 * 0.05)
    assert believed(old, rests_since_us=90 * S).error_m == pytest.approx(3.0 + 0.5 * 30.5)


def test_a_site_has_its_own_rule():
    rules = FusionRules(
        {Source.RADIO: SourceRule(rank=1, valid_s=60), Source.GPS: SourceRule(rank=9, valid_s=60)}
    )
    assert believed(RADIO, GPS, rules=rules).sighting == GPS
    assert believed(PORTAL, rules=rules) is None  # this site does not use portals


@pytest.mark.parametrize(
    "useless",
    [
        replace(RADIO, at_us=101 * S),
        replace(RADIO, at_us=10 * S),
        replace(RADIO, x_m=float("nan")),
        replace(RADIO, error_m=float("inf")),
        replace(GPS, error_m=51.0),
    ],
    ids=["from the future", "too old", "no place", "no error", "not exact enough"],
)
def test_what_is_not_used(useless):
    assert believed(useless) is None
    assert believed() is None


def test_the_order_of_sightings_does_not_matter():
    both = [believed(*order) for order in ((RADIO, PORTAL, SCAN, GPS), (GPS, SCAN, PORTAL, RADIO))]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("reads", "went_in"),
    [
        ([(0, 1), (60, 1), (120, 2), (180, 2)], True),
        ([(180, 1), (120, 1), (60, 2), (0, 2)], False),
        ([(0, 1), (60, 2), (120, 1), (180, 2), (240, 2)], True),
        ([(0, 1), (60, 1)], None),
        ([(0, 2)], None),
        ([], None),
        ([(0, 1), (0, 2)], None),
    ],
    ids=["in", "out", "wavering, then in", "one side", "one read", "none", "at once"],
)
def test_direction_of_a_passage(reads, went_in):
    assert portal_direction(reads, inside_antenna=2) is went_in
