"""Complete files of a simulated span of time, faster than real time and without any port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.simulation.adverts import AdvertWriter
from pipeline.simulation.hospital import Hospital, build_hospital
from pipeline.simulation.portals import PortalReads, portal_reads
from pipeline.simulation.radio import Hearings, Radio
from pipeline.simulation.scenario import MICROSECONDS, Scenario
from pipeline.simulation.truth import Truth
from pipeline.simulation.walks import Walks, build_walks

CHUNK_S = 60
SITE_FILE, TRUTH_FILE = "site.json", "truth.npz"


@dataclass(frozen=True)
class Generated:
    """What `generate` wrote; `files` has one JSON-lines file a gateway."""

    hospital: Hospital
    truth: Truth
    files: dict[str, Path]
    adverts: int
    portal_reads: int
    lines: int
    """With the markers."""


class World:
    """A hospital in motion: what its radios and readers hear in any span of time."""

    def __init__(self, scenario: Scenario, seconds: float) -> None:
        self.hospital = build_hospital(scenario)
        self.walks: Walks = build_walks(self.hospital, seconds)
        self.radio = Radio(self.hospital)

    def extend(self, seconds: float) -> None:
        """Make the walks at least this long; what has happened stays as it was."""
        if seconds * MICROSECONDS > self.walks.end_us:
            self.walks = build_walks(self.hospital, seconds)

    def hear(self, start_us: int, end_us: int) -> Hearings:
        return self.radio.hear(self.walks, start_us, end_us)

    def portal_reads(self, start_us: int, end_us: int) -> PortalReads:
        return portal_reads(self.hospital, self.walks, start_us, end_us)


def generate(scenario: Scenario, start_us: int, seconds: float, directory: Path) -> Generated:
    """Write `<gateway>.jsonl`, site.json and truth.npz into `directory` (made if missing).

    `start_us`: event time of the first moment, us since 1970. The same arguments give the same
    bytes. RFID reads are written as finished reads.
    """
    directory.mkdir(parents=True, exist_ok=True)
    world = World(scenario, seconds)
    writer = AdvertWriter(world.hospital, start_us)
    files = {gateway: directory / f"{gateway}.jsonl" for gateway in writer.gateways}
    write_site(world.hospital, directory)
    truth = Truth.of(world.hospital, world.walks, start_us, seconds)
    truth.save(directory / TRUTH_FILE)
    counts = _write(world, writer, files, round(seconds * MICROSECONDS))
    return Generated(world.hospital, truth, files, *counts)


def write_site(hospital: Hospital, directory: Path) -> Path:
    path = directory / SITE_FILE
    path.write_text(hospital.site.model_dump_json(indent=1), encoding="utf-8")
    return path


def _write(
    world: World, writer: AdvertWriter, files: dict[str, Path], end_us: int
) -> tuple[int, int, int]:
    """(adverts, portal reads, lines) written."""
    for path in files.values():
        path.write_bytes(b"")
    adverts = reads = lines = 0
    step = CHUNK_S * MICROSECONDS
    for start in range(0, end_us, step):
        end = min(start + step, end_us)
        heard, read = world.hear(start, end), world.portal_reads(start, end)
        texts = writer.lines(heard, read, start, end)
        adverts, reads = adverts + len(heard), reads + len(read)
        for path, text in zip(files.values(), texts, strict=True):
            lines += text.count("\n")
            with path.open("ab") as file:
                file.write(text.encode())
    return adverts, reads, lines
