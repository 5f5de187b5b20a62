"""One stretch of one building's history, computed again and written: the work of `backfill`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from pipeline.contracts.transport import Checkpoint
from pipeline.domain import stays
from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import Building
from pipeline.domain.policy import Policy
from pipeline.domain.tracking import BuildingState
from pipeline.flow import checkpoint
from pipeline.flow.arrivals import Directory, Router
from pipeline.flow.event_time import NEVER_US, Timing
from pipeline.flow.history import recompute
from pipeline.sinks import revision
from pipeline.sinks.event_rows import when
from pipeline.sinks.revision import Outcome
from pipeline.sinks.revision_rows import Stays, Stretch
from pipeline.sinks.stay_rows import ROOMS, SESSIONS, ZONES
from pipeline.sources import history

log = logging.getLogger(__name__)


class NothingToStartFrom(Exception):
    """Neither a kept state nor every batch since the building's first window is there."""


@dataclass(frozen=True)
class Done:
    """`from_us` may lie before what was asked for: at the last kept state."""

    number: int
    from_us: int
    until_us: int
    outcome: Outcome


class Reviser:
    """Reads through one connection and writes through another.

    `policy` and `timing` must be those of the dataflow, or history is judged by other rules.
    """

    def __init__(
        self,
        reading: psycopg.Connection[Any],
        writing: psycopg.Connection[Any],
        directory: Directory,
        timing: Timing,
        policy: Policy,
    ) -> None:
        self._reading, self._writing = reading, writing
        self._route = Router(directory).route
        self._timing, self._policy = timing, policy

    def revise(self, building: Building, from_us: int, until_us: int, cause: str) -> Done | None:
        """Compute [from_us, until_us) again; None when nothing of it is written yet.

        Raises NothingToStartFrom, CheckpointError, psycopg.Error.
        """
        window = self._timing.window_us
        from_us -= from_us % window
        extent = history.extent(self._reading, building.ids["building"])
        until_us = min(until_us, extent.written_until_us or NEVER_US)
        until_us -= until_us % window
        start_us, state = self._start(building, from_us, extent)
        if start_us >= until_us:
            return None
        span = {
            "building": building.ids["building"], "from": when(start_us), "until": when(until_us)
        }  # fmt: skip
        stretch = self._stretch(building, state)
        batches = history.count(self._reading, span)
        revision.gather(
            self._writing, self._records(building, state, start_us, until_us, span), stretch
        )
        number, outcome = revision.write(
            self._writing, building, stretch,
            from_us=start_us, until_us=until_us, cause=cause, batches=batches,
        )  # fmt: skip
        return Done(number, start_us, until_us, outcome)

    def _start(
        self, building: Building, from_us: int, extent: history.Extent
    ) -> tuple[int, Any | None]:
        """Where to start, and the state there (None: nothing was known)."""
        kept = history.state_before(self._reading, building.ids["building"], when(from_us))
        first_raw_us = extent.first_raw_us
        if kept is not None and first_raw_us is not None:
            at_us, data = kept
            # Where batches have been dropped since, the stretch would come out empty.
            if at_us >= first_raw_us or self._nothing_before(extent, first_raw_us):
                return at_us, checkpoint.decode(data)
        if self._nothing_before(extent, from_us):
            return from_us, None
        raise NothingToStartFrom(
            f"{building.key}: raw batches and states that far back are no longer kept; "
            "see history.keep_h in the pipeline's settings"
        )

    @staticmethod
    def _nothing_before(extent: history.Extent, us: int) -> bool:
        return extent.first_window_us is None or extent.first_window_us >= us

    def _stretch(self, building: Building, state: Any | None) -> Stretch:
        before = BuildingState.empty(building)
        if state is not None:
            alignment, saved = state
            before = saved.move_to(alignment, building.alignment)
        return Stretch(
            Stays.beginning_with(ROOMS, stays.open_rooms(building, before)),
            Stays.beginning_with(ZONES, stays.open_zones(building, before)),
            Stays.beginning_with(SESSIONS, stays.open_sessions(building, before)),
        )

    def _records(
        self,
        building: Building,
        state: Any | None,
        from_us: int,
        until_us: int,
        span: dict[str, Any],
    ) -> Iterator[ClosedWindow | Checkpoint]:
        return recompute(
            building,
            state,
            from_us,
            until_us,
            history.batches(self._reading, span),
            self._route,
            self._timing,
            self._policy,
        )
