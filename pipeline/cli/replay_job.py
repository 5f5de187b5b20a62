"""The work of a replay: one part in this process, or several in processes of their own."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import psycopg
from bytewax._bytewax import cli_main

from pipeline.cli.errors import CliError, RunFailed
from pipeline.cli.faults import fault_from_environment
from pipeline.cli.recovery import make_store
from pipeline.cli.replay_report import reporting
from pipeline.database.connect import connect
from pipeline.database.errors import ConnectionFailed
from pipeline.domain.policy import Policy
from pipeline.flow.dataflow import build
from pipeline.flow.event_time import Timing
from pipeline.registry.directory import StaticDirectory
from pipeline.registry.read import read_buildings
from pipeline.sinks.null import NullSink
from pipeline.sinks.scratch import WRITER, redirected
from pipeline.sinks.timescale import TimescaleSink
from pipeline.sources.capture_feed import CaptureFeed
from pipeline.sources.markers import Drain
from pipeline.sources.raw_feed import Range, RawFeed
from pipeline.sources.replay import Feed, Progress, ReplaySource

Input = Path | Range


@dataclass(frozen=True)
class Job:
    """`schema` None: the null sink. `everything`: also messages of no registered facility."""

    input: Input
    schema: str | None
    places: list[str]
    everything: bool
    drain: bool
    processes: int
    batch: int
    recovery: Path
    database_url: str
    timing: Timing
    policy: Policy
    epoch_s: float


@dataclass
class Part:
    """What one process did in this run; `tally` is of all runs (null sink), else None."""

    messages: int
    reads: int
    seconds: float
    indexing_s: float
    torn_bytes: int
    tally: dict[str, Any] | None


def open_database(url: str) -> psycopg.Connection[Any]:
    """As the dataflow's role. Raises CliError when it cannot be reached."""
    try:
        return connect(url, application_name="biotrakr-replay", role=WRITER)
    except ConnectionFailed as error:
        raise CliError(f"database_url: {error}") from None


def run_parts(job: Job) -> list[Part]:
    if job.processes == 1:
        return [run_part(job, 0)]
    context = multiprocessing.get_context("spawn")
    running = []
    for index in range(job.processes):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(job, index, os.getpid(), theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    try:
        return [_result(process, pipe) for process, pipe in running]
    finally:
        for process, _ in running:
            process.terminate()
            process.join()


def _result(process: Any, pipe: Pipe) -> Part:
    try:
        found = pipe.recv()
    except EOFError:
        process.join()
        raise RunFailed(f"a part of the replay ended with status {process.exitcode}") from None
    if isinstance(found, Part):
        return found
    raise RunFailed(found)


def _child(job: Job, index: int, parent: int, pipe: Pipe) -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: never outlive the parent
    if os.getppid() != parent:
        return
    try:
        pipe.send(run_part(job, index))
    except Exception as error:
        pipe.send(f"part {index} of {job.processes}: {error}")


def run_part(job: Job, index: int) -> Part:
    """The `index`-th of the parts: every n-th facility, the first part also the unregistered."""
    places = job.places[index :: job.processes]
    with open_database(job.database_url) as connection:
        directory = StaticDirectory(read_buildings(connection, places))
    began = time.monotonic()
    feed = _feed(job, index, places, directory)
    indexed = time.monotonic()
    progress, sink = Progress(), _sink(job)
    flow = build(ReplaySource(feed, progress, job.batch), sink, directory, job.timing, job.policy)
    name = f"part {index} of {job.processes}: " if job.processes > 1 else ""
    with closing(feed), reporting(progress, name):
        cli_main(  # type: ignore[no-untyped-call]
            flow,
            epoch_interval=timedelta(seconds=job.epoch_s),
            recovery_config=make_store(job.recovery / f"part-{index}"),
        )
    return Part(
        messages=progress.messages,
        reads=progress.reads,
        seconds=time.monotonic() - indexed,
        indexing_s=indexed - began,
        torn_bytes=getattr(feed, "torn_bytes", 0),
        tally=sink.tally.plain() if isinstance(sink, NullSink) else None,
    )


def _feed(job: Job, index: int, places: list[str], directory: StaticDirectory) -> Feed:
    buildings = [directory.building(key) for key in directory.keys]
    gateways = [[(b.organization, b.facility, g) for g in b.gateways] for b in buildings]
    drain = Drain(gateways, job.timing.window_us, job.timing.lateness_us)
    if isinstance(job.input, Range):
        part = Range(job.input.start, job.input.end, places)
        return RawFeed(lambda: open_database(job.database_url), part, drain, drained=job.drain)
    ours, registered = set(places), set(job.places)

    def wanted(place: str) -> bool:
        if place in registered:
            return place in ours
        return job.everything and index == 0

    return CaptureFeed(job.input, wanted, drain if job.drain else None)


def _sink(job: Job) -> TimescaleSink | NullSink:
    if job.schema is None:
        return NullSink()

    def away_is_waited_for() -> psycopg.Connection[Any]:
        try:
            return connect(job.database_url, application_name="biotrakr-replay", role=WRITER)
        except ConnectionFailed as error:
            raise psycopg.OperationalError(str(error)) from None

    opened = redirected(away_is_waited_for, job.schema)
    return TimescaleSink(opened, lambda _: None, fault_from_environment())
