"""Who is told what the flow does: metrics. The flow itself reads no clock and counts for nobody.

Called a few times a batch and a window, never per read. An observer is quick and never raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pipeline.domain.events import WindowResult
from pipeline.domain.observations import Observations
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Routed

if TYPE_CHECKING:
    from pipeline.flow.building_logic import BuildingFlow, Record


class Observer(Protocol):
    def routed(self, messages: int, found: Sequence[Routed]) -> None:
        """What so many messages turned out to be."""

    def window_begins(self) -> None:
        """A window is about to be worked on."""

    def window_ends(self, building: str, seen: Observations, result: WindowResult) -> None:
        """It has been, in the same thread."""

    def taken(
        self, flow: BuildingFlow, arrivals: Sequence[Arrival], records: Sequence[Record]
    ) -> None:
        """A building has taken batches; `records` is what became final."""


class Silent:
    """Tells nobody."""

    def routed(self, messages: int, found: Sequence[Routed]) -> None: ...
    def window_begins(self) -> None: ...
    def window_ends(self, building: str, seen: Observations, result: WindowResult) -> None: ...
    def taken(
        self, flow: BuildingFlow, arrivals: Sequence[Arrival], records: Sequence[Record]
    ) -> None: ...


SILENT = Silent()
