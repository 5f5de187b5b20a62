"""A gateway that returns after an hour: its reads become history, the present is left alone.

The same input twice, once with all gateways, once with one that comes when everything is over.
After the backfill both histories are equal, row by row, up to the end of the revised stretch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from known_input import KnownInput, Run, make_input

from pipeline.cli.stack import Stack
from pipeline.sinks.event_rows import when

LENGTH_US = 120_000_000

CONFIG = """\
[timing]
gateway_timeout_s = {timeout_s}
checkpoint_s = 20
[policy]
use_dwell_s = 5
[history]
look_s = 0.2
quiet_s = 1
"""


class Visit(Run):
    """A run in which one gateway may come late."""

    def begin(self, seconds: float, without: str | None = None) -> None:
        config = self.stack.directory / "pipeline.toml"
        config.write_text(CONFIG.format(timeout_s=1e6 if without is None else 1.5))
        self.stack.prepare(self.known.site)
        self.stack.start_pipeline(config)
        for gateway in self.known.site.buildings[0].gateways:
            path = self.stack.directory / f"{gateway.code}.jsonl"
            path.touch()
            self.files[gateway.code] = path
            if gateway.code != without:
                self.bring(gateway.code)
        self.feeder = threading.Thread(target=self._feed, args=(seconds,), daemon=True)
        self.feeder.start()

    def bring(self, code: str) -> None:
        (gateway,) = [g for g in self.known.site.buildings[0].gateways if g.code == code]
        path = self.files[code]
        reader = f'[[readers]]\nname = "adverts"\nkind = "replay"\npath = "{path}"\n'
        self.stack.start_agent(self.known.site, gateway, reader)

    def wait_for(self, query: str, good: Callable[[Any], bool], timeout_s: float = 40.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not good(found := self.rows(query)[0][0]):
            assert time.monotonic() < deadline, f"{query}: {found}"
            time.sleep(0.2)

    def rows(self, query: str) -> list[Any]:
        with self.stack.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def history(self) -> dict[str, list[Any]]:
        """Everything up to the end of the input. What goes on then, goes on."""
        at = f"to_timestamp({self.known.end_us} / 1e6)"
        stays = {
            "room_visit": ("room_id", "entry_reason", "entered_at", "left_at"),
            "zone_visit": ("zone_id", "entry_reason", "entered_at", "left_at"),
            "usage_session": ("state", "room_id", "started_at", "ended_at"),
        }
        queries = {
            table: f"select asset_id, {what}, {more}, {start}, least(coalesce({end}, {at}), {at}) "
            f"from tracking.{table} where {start} < {at} order by 1, 4, 2"
            for table, (what, more, start, end) in stays.items()
        } | {
            "positions": "select (to_jsonb(t) - 'revision')::text from telemetry.location_history "
            f"t where ts <= {at} order by asset_id, ts",
            "windows": "select window_end, reads, positions from pipeline.window_commit "
            f"where window_end <= {at} order by 1",
        }
        return {name: self.rows(query) for name, query in queries.items()}

    def watch_until_nothing_waits(self) -> str:
        """The service, as it runs beside the pipeline; what it logged."""
        command = [sys.executable, "-m", "pipeline.cli.main", "--log-level", "INFO", "backfill"]
        log = self.stack.directory / "history.log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [*command, "--config", str(self.stack.directory / "pipeline.toml"), "--watch"],
                env=os.environ | {"BIOTRAKR_DATABASE_URL": self.stack.database_url_history},
                stderr=output,
            ) as service,
        ):
            try:
                self.wait_for(WAITING, lambda batches: batches == 0)
            finally:
                service.kill()
        return log.read_text()

    def backfill(self, *options: str) -> str:
        command = [sys.executable, "-m", "pipeline.cli.main", "--log-level", "INFO", "backfill"]
        done = subprocess.run(
            [*command, "--config", str(self.stack.directory / "pipeline.toml"), *options],
            env=os.environ | {"BIOTRAKR_DATABASE_URL": self.stack.database_url_history},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> KnownInput:
    return make_input(tmp_path_factory.mktemp("input"), 120.0)


WAITING = "select count(*) from pipeline.late_batch where settled_at is null"
RAW = "select sum(reads)::bigint from pipeline.raw_batch"
ALERTS = "select rule_id, asset_id from tracking.alert"
NEWEST = "select (extract(epoch from max(window_end)) * 1e6)::bigint from pipeline.window_commit"


def test_late_reads_become_history(known: KnownInput, tmp_path: Path) -> None:
    with Stack(tmp_path / "whole") as stack:
        whole = Visit(stack, known)
        whole.begin(seconds=8.0)
        whole.wait(60.0)
        expected = whole.history()
        ((everything,),) = whole.rows(RAW)
        alerts = set(whole.rows(ALERTS))
    late = max(known.lines, key=lambda gateway: sum(map(len, known.lines[gateway])))
    with Stack(tmp_path / "late") as stack:
        run = Visit(stack, known)
        run.begin(seconds=8.0, without=late)
        run.wait_for(NEWEST, lambda us: us is not None and us >= known.end_us)
        before = run.history()
        assert before["positions"] != expected["positions"]
        published = run.rows("select count(*) from pipeline.outbox")
        located = run.rows("select count(*) from tracking.asset_location_current")
        run.bring(late)
        run.wait_for(RAW, lambda reads: reads == everything)
        assert run.rows(WAITING)[0][0] > 3
        assert run.history() == before  # kept, and the present is left alone

        span = (f"{when(known.end_us - LENGTH_US):%FT%TZ}", f"{when(known.end_us):%FT%TZ}")
        said = run.watch_until_nothing_waits()
        found = run.history()
        for name, rows in expected.items():
            missing, extra = set(rows) - set(found[name]), set(found[name]) - set(rows)
            assert found[name] == rows, f"{name}: {said}\nmissing {missing}\nextra {extra}"
        # Nobody is paged for the past, and what was not known in time says so.
        assert run.rows("select count(*) from pipeline.outbox") == published
        assert run.rows("select count(*) from tracking.asset_location_current") >= located
        # What was noticed in time, rightly or not, stays; what is new is late.
        kept = run.rows("select rule_id, asset_id, late, state from tracking.alert")
        assert alerts <= {(rule, asset) for rule, asset, _, _ in kept}
        new = {(rule, asset): state for rule, asset, late, state in kept if late}
        assert new.keys() == alerts - {(rule, asset) for rule, asset, late, _ in kept if not late}
        assert set(new.values()) <= {"resolved"}
        assert run.rows(WAITING) == [(0,)]
        assert "positions 0 out 0 in, changed 0 room" in run.backfill(
            "--from", span[0], "--to", span[1]
        )
        assert run.history() == expected
