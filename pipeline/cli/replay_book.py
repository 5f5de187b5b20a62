"""What a replay was asked to do, kept beside the engine's store: a --resume must ask the same."""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.cli.errors import CliError
from pipeline.cli.replay_job import Job

BOOK, LOCK = "replay.json", "lock"
FORMAT = 1


def new_book(job: Job, identity: list[Any]) -> dict[str, Any]:
    """`run` names this replay; everything else must be equal when it is resumed."""
    return {
        "format": FORMAT,
        "run": secrets.token_hex(8),
        "input": identity,
        "schema": job.schema,
        "facilities": job.places,
        "everything": job.everything,
        "drain": job.drain,
        "processes": job.processes,
        "timing": asdict(job.timing),
        "policy": asdict(job.policy),
    }


def write_book(recovery: Path, book: dict[str, Any]) -> None:
    (recovery / BOOK).write_text(json.dumps(book))


def check_book(recovery: Path, asked: dict[str, Any]) -> str:
    """The `run` of the replay that was begun here. CliError when another one is asked for."""
    try:
        begun = json.loads((recovery / BOOK).read_text())
    except (OSError, ValueError):
        raise CliError(f"{recovery} holds no replay to resume") from None
    other = [name for name in asked if name != "run" and begun.get(name) != asked[name]]
    if other:
        raise CliError(
            f"the replay in {recovery} was begun with other values of {', '.join(other)}; "
            "give the same, or begin again without --resume in an empty directory"
        )
    return str(begun["run"])


@contextmanager
def locked(recovery: Path) -> Iterator[None]:
    """One replay at a time in a directory."""
    try:
        recovery.mkdir(parents=True, exist_ok=True)
        file = (recovery / LOCK).open("w")
    except OSError as error:
        raise CliError(f"--recovery-directory: {recovery}: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CliError(f"another replay is at work in {recovery}") from None
        yield


def check_empty(recovery: Path) -> None:
    """A new replay must not find the state of an old one."""
    if (recovery / BOOK).exists():
        raise CliError(
            f"{recovery} holds a replay: --resume goes on with it, else give an empty directory"
        )
