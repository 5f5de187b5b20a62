"""capture and replay on real parts: the tables of the live run once more, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_gateway import batch
from known_input import PIPELINE_CONFIG, Run, differences, make_input
from small_site import SITE

from pipeline.cli.main import main
from pipeline.cli.stack import Stack
from pipeline.contracts.transport import RawMessage
from pipeline.database.connect import connect
from pipeline.registry.load import load_site
from pipeline.sinks.digest import QUERIES, table_digests
from pipeline.sinks.scratch import redirected
from pipeline.sources.capture_file import CaptureReader, CaptureWriter, Header

SECONDS = 30.0
Tables = dict[str, list[tuple[Any, ...]]]


class Site:
    """A live run that was captured while it went on."""

    def __init__(self, directory: Path, stack: Stack) -> None:
        self.directory, self.stack = directory, stack
        self.capture, self.config = directory / "site.cap", directory / "pipeline.toml"
        self.config.write_text(f"epoch_s = 0.05\n{PIPELINE_CONFIG}")
        known = make_input(directory / "input", SECONDS, assets=12, floors=1)
        recorder = self.start("capture", "--out", str(self.capture))
        time.sleep(2.0)
        run = Run(stack, known)
        run.start(seconds=8.0)  # many small batches
        run.wait(60.0)
        recorder.send_signal(signal.SIGTERM)
        self.recorded = recorder.communicate(timeout=20.0)[1]
        assert recorder.returncode == 0, self.recorded
        stack.children["pipeline"].stop()
        self.live = run.tables()
        self.reads = known.reads

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        addresses = {
            "BIOTRAKR_DATABASE_URL": self.stack.database_url,
            "BIOTRAKR_MQTT_URL": self.stack.mqtt_url,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", *arguments],
            env=os.environ | addresses | environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def replay(self, *arguments: str, status: int = 0, **environment: str) -> Any:
        """The summary."""
        options = ["--config", str(self.config), "--json", *arguments]
        process = self.start("replay", *options, **environment)
        out, said = process.communicate(timeout=100.0)
        assert process.returncode == status, said
        return json.loads(out) if status == 0 else None

    def refused(self, status: int, *arguments: str, url: str | None = None) -> str:
        """What is said when a replay ends with `status`; in this process, which is quicker."""
        options = ["--config", str(self.config), "--database-url", url or self.stack.database_url]
        with redirect_stderr(StringIO()) as said:
            assert main(["replay", *options, *arguments]) == status
        return said.getvalue()

    def tables(self, schema: str) -> Tables:
        with redirected(self.stack.connect, schema)() as connection:
            return {name: connection.execute(q.encode()).fetchall() for name, q in QUERIES.items()}

    def production(self) -> list[Any]:
        """Everything that a replay must leave alone."""
        with self.stack.connect() as connection:
            written = connection.execute(
                "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables"
                " where schemaname in ('telemetry', 'tracking', 'pipeline', 'registry') order by 1"
            ).fetchall()
            outbox = connection.execute("select * from pipeline.outbox order by id").fetchall()
            return [written, outbox, table_digests(connection)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("replay")
    with Stack(directory / "stack") as stack:
        yield Site(directory, stack)


@pytest.fixture(scope="module")
def counted(site: Site) -> dict[str, Any]:
    return dict(site.replay(str(site.capture), "--null"))


def test_a_capture_gives_the_tables_of_the_live_run(site: Site) -> None:
    assert len(site.live["telemetry.location_history"]) > 100
    assert len(site.live["tracking.room_visit"]) > 10
    before = site.production()
    found = site.replay(str(site.capture), "--no-drain", "--schema", "replay_live")
    assert differences(site.live, site.tables("replay_live")) == []
    assert site.production() == before
    assert (found["reads"], found["late"]) == (site.reads, 0)
    assert found["windows"] == len(site.live["pipeline.window_commit"])
    with site.stack.connect() as connection:
        published = connection.execute(
            "select count(*) from replay_live.outbox where published_at is not null"
        ).fetchone()
    assert published == (0,)


def test_killed_again_and_again(site: Site, tmp_path: Path) -> None:
    """kill -9 inside and after a transaction; then to the end."""
    options = ["--no-drain", "--schema", "replay_killed", "--batch", "2",
               "--recovery-directory", str(tmp_path)]  # fmt: skip
    site.replay(str(site.capture), *options, status=-9, BIOTRAKR_FAULT="inside-transaction:2")
    assert "--resume goes on" in site.refused(2, str(site.capture), *options)
    point = "after-transaction:2"
    site.replay(str(site.capture), *options, "--resume", status=-9, BIOTRAKR_FAULT=point)
    assert "of drain" in site.refused(2, str(site.capture), *options[1:], "--resume")
    found = site.replay(str(site.capture), *options, "--resume")
    assert differences(site.live, site.tables("replay_killed")) == []
    assert found["reads"] == site.reads


def rearranged(site: Site, path: Path) -> Path:
    """The same messages, gateways in another interleaving, with repeats; and another facility."""
    reader = CaptureReader(site.capture)
    by_topic: dict[str, list[RawMessage]] = {}
    for record in reader.records():
        by_topic.setdefault(record.message().topic, []).append(record.message())
    reader.close()
    rng, order = np.random.default_rng(4), list[RawMessage]()
    while any(by_topic.values()):
        queue = by_topic[str(rng.choice([t for t, left in by_topic.items() if left]))]
        order += queue[:7]
        del queue[:7]
        order.append(order[int(rng.integers(len(order)))])
    start_us = 1_790_000_000_000_000
    order[5:5] = [
        RawMessage("biotrakr/v1/acme/north/gateways/gw/reads",
                   batch(i + 1, start_us + i * 1_000_000), start_us * 2)
        for i in range(20)
    ]  # fmt: skip
    writer = CaptureWriter(path, Header("2026-01-01T00:00:00+00:00", []))
    for message in order:
        writer.write(message)
    writer.close()
    return path


def test_interleaving_and_processes(site: Site, counted: dict[str, Any], tmp_path: Path) -> None:
    with site.stack.connect() as connection:
        load_site(connection, SITE)
    path = rearranged(site, tmp_path / "other.cap")
    one = site.replay(str(path), "--null", "--batch", "3")
    two = site.replay(str(path), "--null", "--processes", "2")
    assert one["digest"] == two["digest"]
    assert len(two["digests"]) == 2
    assert {k: v for k, v in two["digests"].items() if k in counted["digests"]} == (
        counted["digests"]
    )
    for name in ("windows", "rows", "reads", "solved", "late", "dead_letters"):
        assert one[name] == two[name], name
    assert one["duplicates"] > counted["duplicates"]
    assert one["reads"] == counted["reads"] + 40
    only = site.replay(str(path), "--null", "--facility", "acme/north")
    assert only["reads"] == 40


def test_a_range_of_raw_batches(site: Site, counted: dict[str, Any]) -> None:
    found = site.replay("--from", "2026-09-01T00:00Z", "--to", "2026-10-01T00:00Z",
                        "--schema", "replay_range")  # fmt: skip
    assert (found["reads"], found["late"], found["dead_letters"]) == (site.reads, 0, 0)
    name = "telemetry.location_history"
    assert site.tables("replay_range")[name] == site.live[name]
    nothing = site.replay("--from", "2020-09-01T00:00Z", "--to", "2020-10-01T00:00Z", "--null")
    assert nothing["messages"] == 0


def test_a_torn_tail_is_told_and_damage_refused(site: Site, tmp_path: Path) -> None:
    whole = site.capture.read_bytes()
    torn = tmp_path / "torn.cap"
    torn.write_bytes(whole[:-5])
    assert site.replay(str(torn), "--null")["torn_bytes"] > 0
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    torn.write_bytes(damaged)
    assert "head -c" in site.refused(1, str(torn), "--null")


def test_what_is_refused(site: Site, tmp_path: Path) -> None:
    capture, new = str(site.capture), ["--recovery-directory", str(tmp_path / "new")]
    assert "--replace" in site.refused(2, capture, "--schema", "replay_live")
    assert "replay_" in site.refused(2, capture, "--schema", "tracking")
    assert "--null" in site.refused(2, capture)
    assert "--from" in site.refused(2, "--null", "--from", "2026-09-01T00:00Z")
    assert "cannot be read" in site.refused(2, str(tmp_path / "none"), "--null")
    assert "no replay to resume" in site.refused(2, capture, "--null", "--resume", *new)
    pipeline = site.stack.database_url_pipeline
    assert "--owner-url" in site.refused(1, capture, "--schema", "replay_denied", url=pipeline)
    with site.stack.connect() as connection:
        found = connection.execute("select to_regnamespace('replay_denied')").fetchone()
    assert found == (None,)


def test_least_privilege_and_replace(site: Site) -> None:
    """The owner's login makes the schema, the pipeline's fills it; --replace begins anew."""
    pipeline = {"BIOTRAKR_DATABASE_URL": site.stack.database_url_pipeline,
                "BIOTRAKR_OWNER_URL": site.stack.database_url}  # fmt: skip
    options = [str(site.capture), "--facility", "acme/north", "--schema", "replay_live"]
    found = site.replay(*options, "--replace", **pipeline)
    assert found["windows"] == 0
    assert site.tables("replay_live")["telemetry.location_history"] == []
    with connect(site.stack.database_url) as connection:
        chunks = connection.execute(
            "select count(*) from timescaledb_information.chunks where hypertable_schema = %s",
            ("replay_live",),
        ).fetchone()
    assert chunks == (0,)
