"""A known input that several agents replay, fed at a chosen speed, and what came of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from pipeline.cli.stack import Stack
from pipeline.registry.site_file import GatewayEntry, SiteFile, load_site_file
from pipeline.simulation.generate import generate
from pipeline.simulation.scenario import HospitalPlan, Scenario
from pipeline.sinks.digest import QUERIES

START_US = 1_790_000_000_000_000
TAIL_US = 20_000_000
"""A last time marker this far behind the last read closes every window."""

PIPELINE_CONFIG = """\
# A gateway that is killed must not be set aside: then nothing is late and tables can be equal.
[timing]
gateway_timeout_s = 100000
[policy]
use_dwell_s = 5
"""


@dataclass
class KnownInput:
    site: SiteFile
    lines: dict[str, list[bytes]]
    """Gateway -> chunks of whole lines, one chunk for each time marker."""
    reads: int
    end_us: int


def make_input(
    directory: Path, seconds: float, *, seed: int = 3, assets: int = 30, floors: int = 2
) -> KnownInput:
    plan = HospitalPlan(assets=assets, floors=floors)
    made = generate(Scenario(seed=seed, pace=60.0, hospital=plan), START_US, seconds, directory)
    end_us = START_US + round(seconds * 1e6)
    last = b'{"until_us": %d}\n' % (end_us + TAIL_US)
    lines = {gateway: [*_chunks(path), last] for gateway, path in made.files.items()}
    reads = made.adverts + made.portal_reads
    return KnownInput(load_site_file(directory / "site.json"), lines, reads, end_us)


def _chunks(path: Path) -> list[bytes]:
    chunks, chunk = [], b""
    for line in path.read_bytes().splitlines(keepends=True):
        chunk += line
        if line.startswith(b'{"until_us"'):
            chunks.append(chunk)
            chunk = b""
    return [*chunks, chunk] if chunk else chunks


@dataclass
class Run:
    """The input being replayed through a stack."""

    stack: Stack
    known: KnownInput
    files: dict[str, Path] = field(default_factory=dict)
    feeder: threading.Thread | None = None

    def start(self, seconds: float) -> None:
        """Start pipeline and agents; the files grow to their full length in `seconds`."""
        config = self.stack.directory / "pipeline.toml"
        config.write_text(PIPELINE_CONFIG)
        self.stack.prepare(self.known.site)
        self.start_pipeline(config)
        for gateway in self.known.site.buildings[0].gateways:
            path = self.stack.directory / f"{gateway.code}.jsonl"
            path.touch()
            self.files[gateway.code] = path
            reader = f'[[readers]]\nname = "adverts"\nkind = "replay"\npath = "{path}"\n'
            self.start_agent(gateway, reader)
        self.feeder = threading.Thread(target=self._feed, args=(seconds,), daemon=True)
        self.feeder.start()

    def start_pipeline(self, config: Path) -> None:
        self.stack.start_pipeline(config)

    def start_agent(self, gateway: GatewayEntry, reader: str) -> None:
        self.stack.start_agent(self.known.site, gateway, reader)

    @property
    def steps(self) -> int:
        return max(len(chunks) for chunks in self.known.lines.values())

    def _feed(self, seconds: float) -> None:
        began = time.monotonic()
        for step in range(self.steps):
            self.feed_step(step)
            time.sleep(max(0.0, began + seconds * (step + 1) / self.steps - time.monotonic()))

    def feed_step(self, step: int) -> None:
        """Each gateway's file grows by one chunk."""
        for gateway, chunks in self.known.lines.items():
            if step < len(chunks):
                with self.files[gateway].open("ab") as file:
                    file.write(chunks[step])

    def wait(self, timeout_s: float) -> None:
        """Until everything is committed and published; restarts nothing."""
        assert self.feeder is not None
        self.feeder.join(timeout_s)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._complete():
                return
            time.sleep(0.2)
        logs = "\n".join(f"== {c.name}\n{c.last_words()}" for c in self.stack.children.values())
        raise AssertionError(f"not complete after {timeout_s} s: {self.progress()}\n{logs}")

    def progress(self) -> tuple[Any, ...]:
        with self.stack.connect() as connection:
            row = connection.execute(
                "select coalesce(sum(reads), 0)::bigint, (extract(epoch from max(window_end))"
                " * 1e6)::bigint, (select count(*) from pipeline.outbox where published_at is null)"
                " from pipeline.window_commit"
            ).fetchone()
        assert row is not None
        return row

    def _complete(self) -> bool:
        try:
            reads, newest_us, unpublished = self.progress()
        except psycopg.OperationalError:
            return False
        return reads >= self.known.reads and newest_us >= self.known.end_us and not unpublished

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.stack.connect() as connection:
            return {name: connection.execute(q.encode()).fetchall() for name, q in QUERIES.items()}


def differences(
    expected: dict[str, list[tuple[Any, ...]]], found: dict[str, list[tuple[Any, ...]]]
) -> list[str]:
    """One line a table that differs, with the first rows that only one side has."""
    lines = []
    for name, rows in expected.items():
        if rows == found[name]:
            continue
        missing = [row for row in rows if row not in found[name]][:3]
        extra = [row for row in found[name] if row not in rows][:3]
        lines.append(
            f"{name}: {len(rows)} rows expected, {len(found[name])} found;\n"
            f"  missing {missing}\n  extra {extra}"
        )
    return lines
