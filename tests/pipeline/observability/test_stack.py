"""Scraped and asked while real services come and go."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fake_gateway import FakeGateway, batch, now_us
from watched import Samples, Watched

from pipeline.cli import health

BUILDING = ("building", "acme/north/main")
SECOND_US = 1_000_000


def number(watched: Watched, query: str) -> Any:
    with watched.stack.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def grown(before: Samples, after: Samples, name: str, *labels: tuple[str, str]) -> float:
    key = (name, tuple(sorted(labels)))
    return after[key] - before.get(key, 0.0)


def test_counters_are_those_of_a_known_input(watched: Watched) -> None:
    before = watched.samples()
    windows_before = number(watched, "select count(*) from pipeline.window_commit")
    start_us = (now_us() // SECOND_US - 100) * SECOND_US
    with FakeGateway(watched.stack) as gateway:
        for second in range(40):
            gateway.send(watched.next_batch(start_us + second * SECOND_US))
        gateway.send(b"rubbish")
        repeated = batch(watched.sequence, start_us + 39 * SECOND_US)
        gateway.send(repeated)
        late = watched.next_batch(start_us + 5 * SECOND_US)  # its window is closed
        gateway.send(late)
        last_us = start_us + 42 * SECOND_US
        gateway.send(watched.next_batch(last_us))  # closes the windows before
        gateway.wait_for_ack(watched.sequence)
    after = watched.samples()
    assert grown(before, after, "biotrakr_messages_total") == 44
    assert grown(before, after, "biotrakr_reads_total") == 43 * 2
    assert grown(before, after, "biotrakr_batches_total", BUILDING) == 43
    assert grown(before, after, "biotrakr_dead_letters_total", ("reason", "malformed")) == 1
    assert grown(before, after, "biotrakr_late_reads_total", BUILDING) == 2
    assert grown(before, after, "biotrakr_duplicate_batches_total", BUILDING) == 1
    # `batch` promises a second beyond its start.
    watermark_s = (last_us + SECOND_US) / 1e6
    assert after["biotrakr_watermark_seconds", (BUILDING,)] == watermark_s
    lag_s = after["biotrakr_watermark_lag_seconds", (BUILDING,)]
    assert abs(time.time() - watermark_s - lag_s) < 10

    windows = number(watched, "select count(*) from pipeline.window_commit") - windows_before
    assert windows >= 40
    assert grown(before, after, "biotrakr_commit_lag_seconds_count", BUILDING) == windows
    assert grown(before, after, "biotrakr_window_seconds_count") >= windows
    received = number(watched, "select sum(reads) from pipeline.window_commit")
    assert after["biotrakr_receptions_total", (BUILDING,)] == received
    rows = number(watched, "select count(*) from telemetry.location_history")
    table = (("table", "telemetry.location_history"),)
    assert after["biotrakr_rows_written_total", table] == rows > 0
    heard = number(watched, "select count(*) from pipeline.window_commit where reads > 0")
    how = [after["biotrakr_tags_located_total", (BUILDING, ("how", h))] for h in ("solved", "held")]
    assert sum(how) == heard  # one tag
    assert min(how) > 0


def test_everything_has_a_name_of_ours_a_help_text_and_few_labels(watched: Watched) -> None:
    body = watched.get("/metrics")[1].decode()
    helps = dict(line[7:].split(" ", 1) for line in body.splitlines() if line.startswith("# HELP"))
    ours = {name for name in helps if name.startswith("biotrakr_")}
    assert set(helps) - ours == {name for name in helps if name.startswith(("process_", "python_"))}
    assert len(ours) > 25
    assert all(helps[name].strip() for name in ours)
    labels = {name for _, pairs in watched.samples() for name, _ in pairs}
    assert labels <= {
        "building", "reason", "how", "table", "client", "le", "version", "generation",
        "implementation", "major", "minor", "patchlevel",
    }  # fmt: skip
    assert "gw" not in {value for _, pairs in watched.samples() for _, value in pairs}


def test_idle_is_healthy(watched: Watched, capsys: Any) -> None:
    time.sleep(2.5)  # longer than unhealthy_after_s
    assert watched.failing() == {}
    for path in ("/ready", "/live"):
        assert watched.get(path)[0] == 200
    assert watched.get("/elsewhere")[0] == 404
    assert list(health.failing_checks(watched.url("/health"))) == []


def test_a_port_that_is_taken_is_told_before_anything_is_started(
    watched: Watched, tmp_path: Path
) -> None:
    stack, recovery = watched.stack, tmp_path / "recovery"
    command = [sys.executable, "-m", "pipeline.cli.main", "run", "--recovery-directory", recovery]
    done = subprocess.run(
        [*command, "--metrics-address", f"127.0.0.1:{watched.port}"],
        env=os.environ
        | {
            "BIOTRAKR_DATABASE_URL": stack.database_url_pipeline,
            "BIOTRAKR_MQTT_URL": stack.mqtt_url,
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"biotrakr: metrics_address: cannot listen at 127.0.0.1:{watched.port}: "
        "Address already in use; choose another address\n"
    )
    assert not recovery.exists()


def test_the_database_is_away(watched: Watched) -> None:
    database = watched.stack.database
    assert database is not None
    with FakeGateway(watched.stack) as gateway:
        database.kill()
        try:
            gateway.send(watched.next_batch())
            bad = watched.wait_for(watched.failing)
            assert set(bad) == {"sink"}
            assert bad["sink"]["age_s"] >= 2.0
            assert "database" in bad["sink"]["advice"]
            assert watched.get("/live")[0] == 200  # starting again would not help
            assert watched.samples()[("biotrakr_database_connected", ())] == 0
            (told,) = health.failing_checks(watched.url("/health"))
            assert told.startswith("sink: ")
        finally:
            database.start()
        watched.wait_for(lambda: watched.failing() == {})
        gateway.wait_for_ack(watched.sequence)
    assert watched.samples()[("biotrakr_database_connected", ())] == 1


def test_the_broker_is_away(watched: Watched) -> None:
    broker = watched.stack.broker
    assert broker is not None
    broker.kill()
    try:
        bad = watched.wait_for(watched.failing)
        assert set(bad) == {"broker"}
        assert watched.get("/ready")[0] == 503
        connected = ("biotrakr_broker_connected", (("client", "reads"),))
        assert watched.samples()[connected] == 0
    finally:
        broker.start()
    watched.wait_for(lambda: watched.failing() == {})
    assert watched.samples()[connected] == 1


def test_a_watermark_stands_still_while_reads_arrive(watched: Watched) -> None:
    with FakeGateway(watched.stack) as gateway:
        gateway.send(watched.next_batch())
        gateway.wait_for_ack(watched.sequence)
        missing = watched.next_batch()

        def send_on_and_ask() -> Any:
            gateway.send(watched.next_batch())
            time.sleep(0.1)
            return watched.failing()

        bad = watched.wait_for(send_on_and_ask)
        assert set(bad) == {"watermark"}
        assert bad["watermark"]["age_s"] >= 4.0
        assert "acme/north/main" in bad["watermark"]["detail"]
        assert watched.samples()[("biotrakr_batches_ahead_of_gap", (BUILDING,))] > 10
        gateway.send(missing)
        watched.wait_for(lambda: watched.failing() == {})
        gateway.wait_for_ack(watched.sequence)


def test_no_secret_is_told(watched: Watched) -> None:
    _, user = watched.stack.mqtt_url, watched.stack.database_url_pipeline
    passwords = {url.split("://")[1].split(":")[1].split("@")[0] for url in (_, user)}
    told = b"".join(watched.get(path)[1] for path in ("/metrics", "/health", "/ready", "/live"))
    log = watched.stack.children["pipeline"].log.read_bytes()
    for password in passwords:
        assert len(password) > 8
        assert password.encode() not in told + log
