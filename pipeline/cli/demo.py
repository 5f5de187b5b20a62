"""`biotrakr demo`: a simulated hospital on real services, from serial bytes to SQL and alerts."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.cli.demo_observer import Observer, Picture
from pipeline.cli.demo_screen import render
from pipeline.cli.demo_summary import Summary, summarise
from pipeline.cli.errors import CliError, RunFailed
from pipeline.cli.stack import Stack
from pipeline.registry.site_file import GatewayEntry
from pipeline.simulation.hospital import Hospital, build_hospital
from pipeline.simulation.live import LiveHospital
from pipeline.simulation.scenario import Scenario

REFRESH_S = 1.0
DRAIN_S = 20.0
HEAD_START_S = 10.0
"""The hospital begins to move when pipeline and agents are up: what was emitted before would
only show how long Python takes to start."""
CONFIG = """\
# The demo's day is short: assets rest for seconds instead of hours.
[policy]
use_dwell_s = 5
"""


def register(commands: Any) -> None:
    parser = commands.add_parser("demo", help="watch a simulated hospital", description=__doc__)
    parser.add_argument("--seconds", type=float, help="of hospital life; default: until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print one summary object, no table")
    parser.add_argument(
        "--keep", action="store_true", help="then go on until Ctrl-C, and say how to connect"
    )
    parser.add_argument("--seed", type=int, default=1, help="another hospital's day")
    parser.add_argument(
        "--pace", type=float, default=60.0, help="how much shorter than in life assets rest"
    )
    parser.add_argument("--directory", type=Path, help="for logs; default: a temporary one")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    if options.seconds is not None and options.seconds < 1:
        raise CliError("--seconds: at least 1")
    if not options.pace > 0:
        raise CliError("--pace: greater than 0")
    signal.signal(signal.SIGTERM, _interrupt)
    with _directory(options.directory) as directory:
        return _demo(options, directory)


def _demo(options: argparse.Namespace, directory: Path) -> int:
    scenario = Scenario(seed=options.seed, pace=options.pace)
    hospital = build_hospital(scenario)
    with Stack(directory, progress=_say) as stack:
        stack.prepare(hospital.site)
        _say("starting pipeline, agents and the simulated hospital")
        (directory / "pipeline.toml").write_text(CONFIG)
        stack.start_pipeline(directory / "pipeline.toml")
        began_s = time.monotonic()
        start_us = time.time_ns() // 1000 + round(HEAD_START_S * 1e6)
        live = LiveHospital(scenario, directory / "world", start_us)
        with live:
            start_agents(stack, hospital, live)
            with Observer(stack, hospital.site) as observer:
                _watch(options, stack, live, observer, began_s, start_us / 1e6)
                summary = _finish(live, observer)
                _report(options, summary, stack)
                if options.keep:
                    _keep(stack, observer)
    return 0


def start_agents(stack: Stack, hospital: Hospital, live: LiveHospital) -> None:
    """One agent a gateway: BLE adverts from its growing file, RFID readers on their terminals."""
    for gateway in hospital.site.buildings[0].gateways:
        readers = _readers(hospital, live, gateway)
        stack.start_agent(hospital.site, gateway, readers)


def _readers(hospital: Hospital, live: LiveHospital, gateway: GatewayEntry) -> str:
    protocols = {reader.name: reader for reader in hospital.readers}
    text = f'[[readers]]\nname = "adverts"\nkind = "replay"\npath = "{live.files[gateway.code]}"\n'
    names = {
        receiver.name.split("/")[0] for receiver in gateway.receivers if receiver.kind == "rfid"
    }
    for name in sorted(names):
        reader = protocols[name]
        antennas = list(range(1, len(reader.antennas) + 1))
        text += (
            f'[[readers]]\nname = "{name}"\nkind = "serial"\nprotocol = "{reader.protocol}"\n'
            f'port = "{live.ports[name]}"\nantennas = {antennas}\n'
        )
    return text


def _watch(
    options: argparse.Namespace,
    stack: Stack,
    live: LiveHospital,
    observer: Observer,
    began_s: float,
    start_s: float,
) -> None:
    """Show what the database says until the time is up or Ctrl-C.

    `began_s` is on the monotonic clock, `start_s` on the wall clock: when the hospital moves off.
    """
    first = True
    with _screen(options) as show:
        try:
            while options.seconds is None or time.time() - start_s < options.seconds:
                time.sleep(REFRESH_S)
                failed = stack.failed()
                if failed is not None:
                    raise RunFailed(f"{failed.name} ended by itself:\n{failed.last_words()}")
                picture = observer.look(live.truth())
                if first and picture.positions:
                    first = False
                    _say(f"first positions after {time.monotonic() - began_s:.1f} s")
                show(picture)
        except KeyboardInterrupt:
            return


def _finish(live: LiveHospital, observer: Observer) -> Summary:
    """Let the pipeline see everything that was written, then score it."""
    truth = live.truth()
    deadline = time.monotonic() + DRAIN_S
    while observer.committed_us() < truth.end_us and time.monotonic() < deadline:
        time.sleep(0.2)
    return summarise(observer, truth)


def _report(options: argparse.Namespace, summary: Summary, stack: Stack) -> None:
    print(summary.as_json() if options.json else summary.as_text(), flush=True)


def _keep(stack: Stack, observer: Observer) -> None:
    print(observer.how_to_connect(), flush=True)
    try:
        while stack.failed() is None:
            time.sleep(1.0)
    except KeyboardInterrupt:
        pass


@contextmanager
def _screen(options: argparse.Namespace) -> Iterator[Callable[[Picture], None]]:
    """A live table on a terminal, nothing with --json, a line every five seconds elsewhere."""
    if options.json:
        yield lambda _: None
        return
    if sys.stdout.isatty():
        from rich.live import Live  # noqa: PLC0415 only a terminal needs it

        with Live(refresh_per_second=4, screen=False) as table:
            yield lambda picture: table.update(render(picture))
        return
    shown_s = 0.0

    def line(picture: Picture) -> None:
        nonlocal shown_s
        if time.monotonic() - shown_s >= 5.0:
            shown_s = time.monotonic()
            print(picture.line(), flush=True)

    yield line


@contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="biotrakr-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
