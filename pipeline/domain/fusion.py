"""One state from many sources: radio, RFID portals, scans by hand, GPS, motion sensors.

A source says where an asset is, with its own error and at its own time. What a hard source says
(a portal read, a scan by a person in a room) holds until it has aged, whatever radio claims,
because it is a constraint and no estimate; between soft ones the rule of the site decides: by rank
of the kind of source, then by the error that each has grown to, for an asset may have moved since.
Nothing is averaged across kinds: a wrong source would pull a right one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

SECOND_US = 1_000_000


class Source(IntEnum):
    """What kind of thing said it."""

    RADIO = 1
    PORTAL = 2
    SCAN = 3
    GPS = 4


@dataclass(frozen=True)
class Sighting:
    """One source's word about one asset; `error_m` holds it nine times in ten."""

    source: Source
    at_us: int
    x_m: float
    y_m: float
    error_m: float
    floor: int | None = None
    room: int | None = None
    entered: bool | None = None
    """Of a portal with direction: whether the asset went into `room` or out of it."""


@dataclass(frozen=True)
class SourceRule:
    """How one kind of source is to be weighed.

    A hard source decides alone for `holds_s` after it spoke; a soft one competes for `valid_s`.
    While it waits its error grows by `drift_m_per_s`, unless a motion sensor says that the asset
    rests. A source that is less exact than `worst_m` is not heard.
    """

    rank: int
    """The higher rank wins where both are exact enough for the site (see FusionRules.enough_m)."""
    holds_s: float = 0.0
    valid_s: float = 30.0
    drift_m_per_s: float = 1.0
    worst_m: float = 100.0


def _usual() -> dict[Source, SourceRule]:
    return {
        Source.PORTAL: SourceRule(rank=3, holds_s=3.0, valid_s=10.0),
        Source.SCAN: SourceRule(rank=2, holds_s=30.0, valid_s=300.0, drift_m_per_s=0.2),
        Source.RADIO: SourceRule(rank=1, valid_s=60.0, drift_m_per_s=0.5),
        Source.GPS: SourceRule(rank=0, valid_s=60.0, drift_m_per_s=1.5, worst_m=50.0),
    }


@dataclass(frozen=True)
class FusionRules:
    """A site's rule between sources."""

    sources: Mapping[Source, SourceRule] = field(default_factory=_usual)
    enough_m: float = 10.0
    """Ranks decide between sources whose error is below this; else the smaller error does."""
    rest_drift: float = 0.05
    """The share of its drift that remains while the asset is known to rest."""


@dataclass(frozen=True)
class Fused:
    """What is believed, the error it has grown to, and why: the sources that lost stay with it."""

    sighting: Sighting
    error_m: float
    reason: str
    contenders: tuple[tuple[Source, float], ...]
    """Every source that was heard, with its error now in metres, the winner first."""
    inside: tuple[int, bool] | None = None
    """A hard constraint: the room, and whether the asset is in it or is known to have left it."""


def fuse(
    sightings: Sequence[Sighting], at_us: int, rules: FusionRules, rests_since_us: int | None = None
) -> Fused | None:
    """The state of one asset at `at_us` from the newest word of each source; None: unknown.

    `rests_since_us`: since when a motion sensor says it has not been moved. What lies in the future
    of `at_us` is not used, nor is anything that is not finite.
    """
    newest: dict[Source, Sighting] = {}
    for one in sightings:
        known = newest.get(one.source)
        if _usable(one, at_us, rules) and (known is None or one.at_us >= known.at_us):
            newest[one.source] = one
    if not newest:
        return None
    errors = {s: _error_now_m(one, at_us, rules, rests_since_us) for s, one in newest.items()}
    hard = [s for s, one in newest.items() if _holds(one, at_us, rules)]
    if hard:
        # Of two constraints the later: an asset is scanned in one room, then passes a door.
        winner = max(hard, key=lambda s: (newest[s].at_us, rules.sources[s].rank))
        reason = f"{winner.name.lower()}_holds"
    else:
        winner = min(errors, key=lambda s: _order(s, errors[s], rules))
        others = [s for s in errors if s != winner]
        exact = bool(others) and errors[winner] > rules.enough_m
        reason = "only_source" if not others else "smaller_error" if exact else "higher_rank"
    order = [winner, *sorted((s for s in errors if s != winner), key=lambda s: errors[s])]
    return Fused(
        newest[winner],
        errors[winner],
        reason,
        tuple((s, errors[s]) for s in order),
        _constraint(newest[winner]) if hard else None,
    )


def _order(source: Source, error_m: float, rules: FusionRules) -> tuple[bool, float, float]:
    exact = error_m <= rules.enough_m
    return not exact, -float(rules.sources[source].rank) if exact else error_m, error_m


def _usable(one: Sighting, at_us: int, rules: FusionRules) -> bool:
    rule = rules.sources.get(one.source)
    if rule is None or not np.isfinite([one.x_m, one.y_m, one.error_m]).all():
        return False
    age_s = (at_us - one.at_us) / SECOND_US
    return 0 <= age_s <= max(rule.valid_s, rule.holds_s) and 0 <= one.error_m <= rule.worst_m


def _holds(one: Sighting, at_us: int, rules: FusionRules) -> bool:
    holds_s = rules.sources[one.source].holds_s
    return holds_s > 0 and (at_us - one.at_us) / SECOND_US <= holds_s


def _error_now_m(
    one: Sighting, at_us: int, rules: FusionRules, rests_since_us: int | None
) -> float:
    """The error it had, plus what the asset may have moved since."""
    age_s = (at_us - one.at_us) / SECOND_US
    rested_s = 0.0
    if rests_since_us is not None:
        rested_s = min(age_s, max(0.0, (at_us - rests_since_us) / SECOND_US))
    wandered_s = age_s - (1.0 - rules.rest_drift) * rested_s
    return one.error_m + rules.sources[one.source].drift_m_per_s * wandered_s


def _constraint(one: Sighting) -> tuple[int, bool] | None:
    """A portal without direction and a scan mean: it is there."""
    if one.room is None:
        return None
    return one.room, True if one.entered is None else one.entered


def portal_direction(reads: Sequence[tuple[int, int]], inside_antenna: int) -> bool | None:
    """Whether an asset went in, from (time in us, antenna) of one passage; None: cannot be told.

    A portal has an antenna on each side of the door; the side of the centre of the later half of
    the passage against that of the earlier half tells. One side alone is no passage.
    """
    ordered = sorted(reads)
    sides = np.array([antenna == inside_antenna for _, antenna in ordered], dtype=np.float64)
    if len(sides) < 2 or sides.all() or not sides.any():
        return None
    times = np.array([at for at, _ in ordered], dtype=np.float64)
    inside, outside = times[sides == 1.0].mean(), times[sides == 0.0].mean()
    return None if inside == outside else bool(inside > outside)
