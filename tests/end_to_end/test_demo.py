"""`biotrakr demo` as a user runs it, scored against the simulation's truth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pipeline.cli.main", "demo"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_a_minute_of_hospital() -> None:
    """The bars of the first release; latency is reported by the demo and not asserted here."""
    done = subprocess.run(
        [*COMMAND, "--seconds", "60", "--json"],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    print(summary)
    assert summary["median_error_m"] < 3.0
    assert summary["room_accuracy"] > 0.80
    assert summary["forbidden_entries"] >= 2
    assert summary["forbidden_matched"] == summary["forbidden_entries"]
    assert (
        summary["forbidden_missed"],
        summary["forbidden_unresolved"],
        summary["forbidden_extra"],
    ) == (0, 0, 0)
    assert summary["alerts_opened"] == summary["alerts_resolved"]
    assert summary["alerts_published"] == 4 * summary["alerts_opened"]
    assert summary["dead_letters"] == 0
    assert summary["late"] == 0
    assert summary["reads"] > 20_000
    assert summary["sessions"] > 60


@pytest.fixture
def heeding_ctrl_c() -> Iterator[None]:
    """A test run in the background of a script ignores SIGINT, and its children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_keep_says_how_to_connect_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--seconds", "3", "--json", "--keep", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
    ) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        psql = next(line for line in lines if "psql '" in line).strip()
        subscribe = next(line for line in lines if "mosquitto_sub" in line).strip()
        query = "select count(*) from reporting.current_location"
        asked = subprocess.run(
            ["sh", "-c", f'{psql} -At -c "{query}"'], capture_output=True, text=True, check=True
        )
        assert int(asked.stdout) > 0
        listened = subprocess.run(
            ["sh", "-c", f"{subscribe} -W 1"], capture_output=True, text=True, check=False
        )
        assert listened.returncode in (0, 27), listened.stderr  # 27: nothing within the second
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    _nothing_left(str(tmp_path))


def _nothing_left(directory: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = [line for line in _command_lines() if directory in line]
        if not left:
            return
        time.sleep(0.2)
    raise AssertionError(f"still running: {left}")


def _command_lines() -> Iterator[str]:
    """Of every process; those that end meanwhile are passed over."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
