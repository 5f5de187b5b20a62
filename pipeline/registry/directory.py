"""The registry as the dataflow asks it: buildings by key, refreshed when the database changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from pipeline.domain.floorplan import Building
from pipeline.registry.errors import RegistryError
from pipeline.registry.read import read_buildings, read_revisions

log = logging.getLogger(__name__)
REFRESH_S = 2.0


class StaticDirectory:
    """Buildings that do not change while the flow runs: replays and tests."""

    def __init__(self, buildings: Sequence[Building]) -> None:
        self._put(buildings)

    def building_of(self, organization: str, facility: str, gateway: str) -> str | None:
        return self._by_gateway.get((organization, facility, gateway))

    def building(self, key: str) -> Building:
        try:
            return self._buildings[key]
        except KeyError:
            raise RegistryError(
                f"building {key!r} has state in the recovery directory but is not registered; "
                "load its site file again, or start with an empty recovery directory"
            ) from None

    @property
    def keys(self) -> list[str]:
        return list(self._buildings)

    def _put(self, buildings: Sequence[Building]) -> None:
        gateways = {
            (b.organization, b.facility, gateway): b.key
            for b in buildings
            for gateway in b.gateways
        }
        # Two plain assignments: a reader sees the old dictionaries or the new ones, both whole.
        self._buildings = {building.key: building for building in buildings}
        self._by_gateway = gateways


class DatabaseDirectory(StaticDirectory):
    """Reads the registry at start and again, in the background, whenever its revision moves.

    `facilities` None: every facility; a function: those for which it is true, also ones that are
    registered later. Keeps the last good version while the database is away.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        facilities: Sequence[str] | Callable[[str], bool] | None = None,
    ) -> None:
        self._connect, self._wanted = connect, facilities
        self._changed: Callable[[list[str]], None] = lambda _: None
        with connect() as connection:
            self._revisions = self._read_revisions(connection)
            super().__init__(read_buildings(connection, self.facilities))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="registry", daemon=True)

    @property
    def facilities(self) -> list[str]:
        """organization/facility of what is known at present."""
        return list(self._revisions)

    def tell(self, changed: Callable[[list[str]], None]) -> None:
        """Call `changed` with `facilities` after every change, from the directory's thread."""
        self._changed = changed

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5.0)

    def refresh(self, connection: psycopg.Connection[Any]) -> bool:
        """Read again if the registry changed; True when it did."""
        revisions = self._read_revisions(connection)
        if revisions == self._revisions:
            return False
        self._put(read_buildings(connection, list(revisions)))
        self._revisions = revisions
        log.info("registry changed: %s", revisions)
        self._changed(self.facilities)
        return True

    def _read_revisions(self, connection: psycopg.Connection[Any]) -> dict[str, int]:
        if not callable(self._wanted):
            return read_revisions(connection, self._wanted)
        every = read_revisions(connection)
        return {place: revision for place, revision in every.items() if self._wanted(place)}

    def _watch(self) -> None:
        while not self._stopping.wait(REFRESH_S):
            try:
                with self._connect() as connection:
                    while not self._stopping.wait(REFRESH_S):
                        self.refresh(connection)
            except (psycopg.Error, RegistryError, OSError) as error:
                log.warning("registry not refreshed, the last version stays in use: %s", error)
