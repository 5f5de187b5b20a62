"""`biotrakr health`: fresh files and a connection that stands."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import pytest

from pipeline.cli import health
from pipeline.contracts.address import Address
from pipeline.contracts.health import Check, Health
from pipeline.contracts.listener import Listener


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


@pytest.fixture
def answering() -> Iterator[Callable[[HTTPStatus, bytes], str]]:
    """`answering(status, body)` -> the address of a program that answers so."""
    with ExitStack() as stack:

        def start(status: HTTPStatus, body: bytes) -> str:
            page = {"/health": lambda: (status, "application/json", body)}
            listener = Listener(Address("127.0.0.1", 0), page)
            listener.start()
            stack.callback(listener.stop)
            return f"http://{listener.address}/health"

        yield start


def test_the_program_itself_is_asked(
    run: Callable[..., int],
    answering: Callable[[HTTPStatus, bytes], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fine = Check("loop", 0.0, 30.0, "turns", "start it again")
    bad = Check("sink", 41.52, 30.0, "results wait", "look at the database")
    assert run(health, "health", "--url", answering(HTTPStatus.OK, Health([fine]).encode())) == 0
    body = Health([fine, bad]).encode()
    url = answering(HTTPStatus.SERVICE_UNAVAILABLE, body)
    assert run(health, "health", "--url", url) == 1
    assert capsys.readouterr().out == "good\nsink: results wait (41.5 s): look at the database\n"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"checks": [1]}', b"<html>"])
def test_an_answer_that_is_none(
    run: Callable[..., int],
    answering: Callable[[HTTPStatus, bytes], str],
    capsys: pytest.CaptureFixture[str],
    body: bytes,
) -> None:
    assert run(health, "health", "--url", answering(HTTPStatus.NOT_FOUND, body)) == 1
    assert "answers 404, and not about health" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["ftp://x/health", "http://", "127.0.0.1:9464", "http://x:y/"])
def test_an_address_that_is_none(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run(health, "health", "--url", url) == 1
    assert "must look like http://127.0.0.1:9464/health" in capsys.readouterr().out


def test_nobody_answers(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert run(health, "health", "--url", f"http://127.0.0.1:{port}/health") == 1
    assert "no answer: [Errno 111]" in capsys.readouterr().out


def test_as_a_module_it_needs_no_library(tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    command = [sys.executable, "-X", "importtime", "-m", "pipeline.cli.health"]
    done = subprocess.run(
        [*command, "--fresh", tmp_path],
        capture_output=True, text=True, check=True, cwd=Path(health.__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == "good\n"
    assert not any(name in done.stderr for name in ("numpy", "bytewax", "psycopg"))
