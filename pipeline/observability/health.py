"""When the pipeline is healthy: `rules` are pure, times in seconds of the monotonic clock.

A pipeline without messages is healthy. One check fails for one cause: what stands behind a database
that is away is not blamed as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.contracts.health import Check
from pipeline.observability.flow_metrics import Progress

MOST_NAMES = 10
"""Buildings named in one check."""


@dataclass(frozen=True)
class Limits:
    """`unhealthy_after_s`: how long something may be as it should not be. An epoch may wait its
    own length longer, and a watermark for a silent gateway until that is set aside."""

    unhealthy_after_s: float
    epoch_s: float
    gateway_timeout_s: float

    @property
    def sink_s(self) -> float:
        return self.unhealthy_after_s + self.epoch_s

    @property
    def watermark_s(self) -> float:
        return self.unhealthy_after_s + self.gateway_timeout_s


@dataclass(frozen=True)
class Seen:
    """What is looked at. `broker_lost_s`, `waiting_s`: since when, None: not so."""

    now_s: float
    turned_s: float
    committing: bool
    committed_s: float
    waiting_s: float | None
    broker_lost_s: float | None
    broker_problem: str | None
    buildings: Sequence[Progress]


def rules(seen: Seen, limits: Limits) -> list[Check]:
    return [
        loop(seen, limits),
        _sink(seen, limits),
        _broker(seen, limits),
        _watermark(seen, limits),
    ]


def loop(seen: Seen, limits: Limits) -> Check:
    # While it writes, the loop stands, and the sink is to be looked at.
    age_s = 0.0 if seen.committing else seen.now_s - max(seen.turned_s, seen.committed_s)
    return Check(
        "loop",
        age_s,
        limits.unhealthy_after_s,
        "writing an epoch" if seen.committing else f"last turned {age_s:.1f} s ago",
        "the flow hangs; its log may say where. Starting it again is safe at any moment",
    )


def _sink(seen: Seen, limits: Limits) -> Check:
    waiting = seen.waiting_s is not None
    return Check(
        "sink",
        seen.now_s - seen.waiting_s if seen.waiting_s is not None else 0.0,
        limits.sink_s,
        "results wait to be committed" if waiting else "everything is committed",
        "see whether the database runs, can be reached and has room on its disk; the pipeline goes "
        "on by itself and nothing is lost",
    )


def _broker(seen: Seen, limits: Limits) -> Check:
    lost = seen.broker_lost_s is not None
    return Check(
        "broker",
        seen.now_s - seen.broker_lost_s if seen.broker_lost_s is not None else 0.0,
        limits.unhealthy_after_s,
        (seen.broker_problem or "no connection to the broker") if lost else "connected",
        "see whether the broker runs, can be reached and accepts the pipeline's user; gateways "
        "keep their reads until then",
    )


def _watermark(seen: Seen, limits: Limits) -> Check:
    # `quiet_s` is the limit itself: who has sent nothing for so long is silent, not held up.
    ages = {
        one.key: one.stood_still_s(seen.now_s, quiet_s=limits.watermark_s) for one in seen.buildings
    }
    still = sorted(key for key, age_s in ages.items() if age_s > limits.watermark_s)
    more = f" and {len(still) - MOST_NAMES} more" if len(still) > MOST_NAMES else ""
    return Check(
        "watermark",
        max(ages.values(), default=0.0),
        limits.watermark_s,
        f"stands still while reads arrive: {', '.join(still[:MOST_NAMES])}{more}"
        if still
        else "moves where reads arrive",
        "a gateway of the building sends batches with a gap before them, or its clock is wrong: "
        "see reporting.gateway_health and biotrakr_batches_ahead_of_gap",
    )
