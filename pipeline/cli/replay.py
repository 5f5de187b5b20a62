"""`biotrakr replay`: run a capture or a range of raw batches through the same flow, at full speed.

The same input gives the same tables, bit for bit, however its gateways were interleaved, however
it is cut into epochs and however often it is restarted: messages are put in an order that follows
from event time alone, so less is late than when the messages came in. Nothing is published and no
production table is touched.

At its end every gateway of a building that was heard is made to promise what the most advanced one
has promised, so that the last windows close; --no-drain leaves them open, as a live run would.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from pipeline.cli.errors import CliError
from pipeline.cli.replay_book import check_book, check_empty, locked, new_book, write_book
from pipeline.cli.replay_job import Input, Job, open_database, run_parts
from pipeline.cli.replay_report import render, summary
from pipeline.cli.settings import PipelineSettings, environment, load_settings
from pipeline.database.connect import connect
from pipeline.registry.read import read_revisions
from pipeline.sinks import scratch
from pipeline.sinks.errors import ScratchError
from pipeline.sources.raw_feed import Range, size
from pipeline.sources.replay import MAX_BATCH

MAX_PROCESSES = 64


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "replay",
        help="run a capture or a range of raw batches through the flow",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", nargs="?", type=Path, help="a file made by biotrakr capture")
    add("--from", dest="start", metavar="TIME", help="instead of a file: raw batches of the "
        "database from here, 2026-01-31T12:00:00Z")  # fmt: skip
    add("--to", dest="end", metavar="TIME", help="up to here, exclusive")
    add("--facility", action="append", dest="facilities",
        help="organization/facility; repeat; default: all")  # fmt: skip
    add("--schema", metavar="NAME", help="write into this new schema; replay_...")
    add("--replace", action="store_true", help="drop the schema first if it is there")
    add("--null", action="store_true", help="write nothing; count, and give a digest")
    add("--processes", type=int, default=1, metavar="N", help="share the facilities among N")
    add("--recovery-directory", type=Path,
        help="keep what a later --resume needs; default: none is kept")  # fmt: skip
    add("--resume", action="store_true", help="go on where a replay that ended early stood")
    add("--no-drain", dest="drain", action="store_false", help="do not close the last windows")
    add("--batch", type=int, default=MAX_BATCH, metavar="N",
        help="messages a step: changes speed and memory, never a result")  # fmt: skip
    add("--json", action="store_true", help="the summary as JSON")
    add("--config", type=Path, help="the pipeline's TOML file: timing and policy count")
    add("--database-url", help="default: BIOTRAKR_DATABASE_URL; the pipeline's login is enough")
    add("--owner-url", help="the login that migrates, to make the schema; default: "
        "BIOTRAKR_OWNER_URL, else the database's")  # fmt: skip
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    _check(options)
    names = ("database_url", "facilities")
    settings = load_settings(options.config, {name: getattr(options, name) for name in names})
    with _recovery(options.recovery_directory) as recovery, locked(recovery):
        job = _job(options, settings, recovery)
        book = new_book(job, _identity(job))
        if options.resume:
            run = check_book(recovery, book)
            _check_schema(job, run)
        else:
            check_empty(recovery)
            _make_schema(options, job, book)
            write_book(recovery, book)
        parts = run_parts(job)
        found = summary(job, parts)
    print(json.dumps(found) if options.json else render(found))
    return 0


def _check(options: argparse.Namespace) -> None:
    ranged = options.start is not None and options.end is not None
    if (options.file is not None) == ranged or (options.start is None) != (options.end is None):
        raise CliError("give a capture file, or --from and --to")
    if options.null == (options.schema is not None):
        raise CliError("give --schema NAME to write tables, or --null to write nothing")
    if options.schema is not None:
        try:
            scratch.check_name(options.schema)
        except ScratchError as error:
            raise CliError(f"--schema: {error}") from None
    if options.replace and (options.resume or options.null):
        raise CliError("--replace drops a schema: it goes with --schema and not with --resume")
    if options.resume and options.recovery_directory is None:
        raise CliError("--resume needs the --recovery-directory of the replay that ended early")
    if not 1 <= options.processes <= MAX_PROCESSES:
        raise CliError(f"--processes: 1 to {MAX_PROCESSES}")
    if options.batch < 1:
        raise CliError("--batch: at least 1")


@contextmanager
def _recovery(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with TemporaryDirectory(prefix="biotrakr-replay-") as directory:
        yield Path(directory)


def _job(options: argparse.Namespace, settings: PipelineSettings, recovery: Path) -> Job:
    if settings.database_url is None:
        raise CliError("set BIOTRAKR_DATABASE_URL or give --database-url: it has the registry")
    with open_database(settings.database_url) as connection:
        places = list(read_revisions(connection, settings.facilities or None))
    if not places:
        raise CliError("no facility is registered; load its site file first: biotrakr site")
    given: Input = options.file
    if given is None:
        given = Range(_time("--from", options.start), _time("--to", options.end), places)
        if given.start >= given.end:
            raise CliError("--from must be before --to")
    return Job(
        input=given,
        schema=options.schema,
        places=places,
        everything=not settings.facilities,
        drain=options.drain,
        processes=options.processes,
        batch=options.batch,
        recovery=recovery,
        database_url=settings.database_url,
        # Neither raw batches nor checkpoints: they would be those of the input once more.
        timing=replace(settings.timing_values(), checkpoint_s=0.0),
        policy=settings.policy_values(),
        epoch_s=settings.epoch_s,
    )


def _time(option: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CliError(f"{option}: {text!r}: give a time with its offset, 2026-01-31T12:00:00Z")
    return at.astimezone(UTC)


def _identity(job: Job) -> list[Any]:
    """What must not change between a replay and its --resume."""
    if isinstance(job.input, Range):
        with open_database(job.database_url) as connection:
            batches, reads = size(connection, job.input)
        return [job.input.start.isoformat(), job.input.end.isoformat(), batches, reads]
    try:
        status = job.input.stat()
    except OSError as error:
        raise CliError(f"{job.input}: cannot be read: {error.strerror}") from None
    return [status.st_size, status.st_mtime_ns]


def _owner(options: argparse.Namespace, job: Job) -> Callable[[], psycopg.Connection[Any]]:
    url: str = options.owner_url or environment("BIOTRAKR_OWNER_URL") or job.database_url
    return lambda: connect(url, application_name="biotrakr-replay")


def _make_schema(options: argparse.Namespace, job: Job, book: dict[str, Any]) -> None:
    if job.schema is None:
        return
    with _owner(options, job)() as connection:
        if scratch.label(connection, job.schema) is not None:
            if not options.replace:
                raise CliError(
                    f"schema {job.schema} is there already; choose another name, or --replace"
                )
            scratch.drop(connection, job.schema)
        scratch.create(connection, job.schema, {"run": book["run"]})
    print(f"schema {job.schema} made", file=sys.stderr)


def _check_schema(job: Job, run: str) -> None:
    if job.schema is None:
        return
    with open_database(job.database_url) as connection:
        label = scratch.label(connection, job.schema)
    if label is None or label.get("run") != run:
        raise CliError(f"schema {job.schema} is not the one this replay began to fill")
