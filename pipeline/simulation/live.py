"""A simulated hospital that lives with the wall clock: files that grow and ports that answer."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

from pipeline.simulation.adverts import MARKER_US, AdvertWriter
from pipeline.simulation.generate import World, generate, write_site
from pipeline.simulation.hospital import Hospital
from pipeline.simulation.m100 import M100Reader
from pipeline.simulation.portals import Field, LiveField, PortalReader, round_us
from pipeline.simulation.pty import Emulator, SerialPort
from pipeline.simulation.r2000 import R2000Reader
from pipeline.simulation.scenario import MICROSECONDS, Scenario
from pipeline.simulation.truth import Truth

__all__ = ["LiveHospital", "generate"]

FIRST_HORIZON_S = 3600.0
TICK_S = 0.1
NOW_MEANS_S = 60.0


class LiveHospital:
    """Paces a world against the wall clock from `start` to `stop`.

    Event time runs `speed` times as fast as the wall clock, from `start_us` (us since 1970). At
    speed 1 each RFID reader sits behind a pseudo-terminal (`ports`); whoever reads it stamps the
    reads with the wall clock, so give `start_us` as now. At another speed the reads are finished
    lines in the gateways' files. `files` grow by whole lines.
    """

    def __init__(
        self, scenario: Scenario, directory: Path, start_us: int, speed: float = 1.0
    ) -> None:
        if not speed > 0:
            raise ValueError("speed must be greater than 0")
        directory.mkdir(parents=True, exist_ok=True)
        self._start_us, self._speed = start_us, speed
        self._world = World(scenario, FIRST_HORIZON_S)
        self._writer = AdvertWriter(self.hospital, start_us)
        self.files = {name: directory / f"{name}.jsonl" for name in self._writer.gateways}
        self.site_file = write_site(self.hospital, directory)
        self._fields: list[LiveField] = []
        self._terminals = self._wire() if speed == 1 else {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated hospital", daemon=True)
        self._failure: Exception | None = None
        self._written_us = 0
        self._began_s = 0.0

    @property
    def hospital(self) -> Hospital:
        return self._world.hospital

    @property
    def ports(self) -> dict[str, str]:
        """Reader name -> device path; empty unless running at speed 1."""
        return {name: terminal.path for name, terminal in self._terminals.items()}

    def now_us(self) -> int:
        """The event time, us since 1970."""
        return self._start_us + self._elapsed_us()

    def truth(self) -> Truth:
        """What has happened and been written so far."""
        world, written_us = self._world, self._written_us
        return Truth.of(world.hospital, world.walks, self._start_us, written_us / MICROSECONDS)

    def start(self) -> None:
        """Start the clock, the files and the ports."""
        for path in self.files.values():
            path.write_bytes(b"")
        self._began_s = time.monotonic() + self._head_start_s()
        for terminal in self._terminals.values():
            terminal.start()
        self._thread.start()

    def stop(self) -> None:
        """Write what is due, then end everything. Raises what made the writer fail, if it did."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for terminal in self._terminals.values():
            terminal.stop()
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> LiveHospital:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wire(self) -> dict[str, SerialPort]:
        terminals = {}
        for reader in self.hospital.readers:
            field = LiveField(self.hospital, self._world.walks, reader)
            self._fields.append(field)
            emulator = make_emulator(self._world.hospital.scenario, reader, field)
            terminals[reader.name] = SerialPort(emulator, self._elapsed_us, reader.name)
        return terminals

    def _head_start_s(self) -> float:
        """How far `start_us`, when it was given as now, lies from the wall clock by now.

        Readers on a port stamp their reads with the wall clock: the adverts must run with it, not
        behind it by the time that building the world took.
        """
        ahead_s = self._start_us / MICROSECONDS - time.time()
        return ahead_s if abs(ahead_s) < NOW_MEANS_S else 0.0

    def _elapsed_us(self) -> int:
        return round((time.monotonic() - self._began_s) * self._speed * MICROSECONDS)

    def _run(self) -> None:
        try:
            stopping = False
            while not stopping:
                stopping = self._stopping.wait(TICK_S)
                self._write_until(self._elapsed_us() // MARKER_US * MARKER_US)
        except Exception as error:  # reported by stop()
            self._failure = error

    def _write_until(self, end_us: int) -> None:
        if end_us <= self._written_us:
            return
        self._extend(end_us)
        heard = self._world.hear(self._written_us, end_us)
        reads = None
        if self._speed != 1:
            reads = self._world.portal_reads(self._written_us, end_us)
        texts = self._writer.lines(heard, reads, self._written_us, end_us)
        for path, text in zip(self.files.values(), texts, strict=True):
            with path.open("ab") as file:
                file.write(text.encode())
        self._written_us = end_us

    def _extend(self, end_us: int) -> None:
        """Walk on when the horizon is near; the walks begin as they did."""
        if end_us >= 0.9 * self._world.walks.end_us:
            self._world.extend(2 * self._world.walks.end_us / MICROSECONDS)
            for field in self._fields:
                field.walks = self._world.walks


def make_emulator(scenario: Scenario, reader: PortalReader, field: Field) -> Emulator:
    """The emulator of a reader's protocol."""
    if reader.protocol == "r2000":
        return R2000Reader(field, antennas=len(reader.antennas), round_us=round_us(scenario))
    return M100Reader(field, round_us=round_us(scenario))
