"""`biotrakr health`: fresh files and a connection that stands."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import health


def test_fresh_files(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(health, "health", "--fresh", tmp_path) == 1
    assert "no files" in capsys.readouterr().out
    (tmp_path / "old").touch()
    os.utime(tmp_path / "old", (0, 0))
    assert run(health, "health", "--fresh", tmp_path) == 1
    assert "nothing was written" in capsys.readouterr().out
    (tmp_path / "new").touch()
    assert run(health, "health", "--fresh", tmp_path) == 0
    then = time.time() - 20
    os.utime(tmp_path / "new", (then, then))
    assert run(health, "health", "--fresh", tmp_path, "--max-age", 10) == 1


def test_a_connection_that_stands(run: Callable[..., int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # Somebody who listens is no connection.
        assert run(health, "health", "--port", port) == 1
        with socket.create_connection(("127.0.0.1", port)):
            assert run(health, "health", "--port", port) == 0


def test_as_a_module_it_needs_no_library(tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    command = [sys.executable, "-X", "importtime", "-m", "pipeline.cli.health"]
    done = subprocess.run(
        [*command, "--fresh", tmp_path],
        capture_output=True, text=True, check=True, cwd=Path(health.__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == "good\n"
    assert not any(name in done.stderr for name in ("numpy", "bytewax", "psycopg"))
