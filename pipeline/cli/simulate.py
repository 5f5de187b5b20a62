"""`biotrakr simulate`: a simulated hospital and its gateways' agents, against a broker elsewhere.

RFID readers sit on pseudo-terminals, which is why simulator and agents share a container. It ends
by itself after `--hours`, because the adverts' files grow by about 400 MB an hour; whoever
supervises it starts it again.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.cli.demo import start_agents
from pipeline.cli.errors import CliError
from pipeline.cli.stack import Child
from pipeline.registry.site_file import GatewayEntry, SiteFile
from pipeline.simulation.hospital import build_hospital
from pipeline.simulation.live import LiveHospital
from pipeline.simulation.scenario import Scenario

POLL_S = 1.0


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "simulate", help="a simulated hospital for a broker elsewhere", description=__doc__
    )
    parser.add_argument("--broker", required=True, help="mqtts://host or mqtt://host")
    parser.add_argument("--ca-file", type=Path, help="the authority of the broker's certificate")
    parser.add_argument(
        "--passwords", type=Path, required=True, help="a folder with {gateway}.password"
    )
    parser.add_argument("--directory", type=Path, required=True, help="for spools, logs, adverts")
    parser.add_argument("--pace", type=float, default=60.0, help="see biotrakr demo")
    parser.add_argument("--hours", type=float, default=1.0, help="end after this long")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    if urlsplit(options.broker).scheme not in ("mqtt", "mqtts"):
        raise CliError("--broker: expected mqtts://host or mqtt://host")
    signal.signal(signal.SIGTERM, _interrupt)
    scenario = Scenario(pace=options.pace)
    hospital = build_hospital(scenario)
    agents = Agents(options)
    world = options.directory / "world"
    with LiveHospital(scenario, world, time.time_ns() // 1000) as live, agents:
        start_agents(agents, hospital, live)  # type: ignore[arg-type] # it only starts agents
        print(f"{len(agents.children)} gateways are on the air", file=sys.stderr, flush=True)
        return _watch(agents, time.monotonic() + options.hours * 3600)


def _watch(agents: Agents, until_s: float) -> int:
    while time.monotonic() < until_s:
        for child in agents.children:
            if not child.running:
                words = child.last_words()
                print(f"{child.name} ended by itself:\n{words}", file=sys.stderr, flush=True)
                return 1
        time.sleep(POLL_S)
    return 0


class Agents:
    """One `biotrakr-edge run` a gateway; they end with the context."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.children: list[Child] = []

    def start_agent(self, site: SiteFile, gateway: GatewayEntry, readers: str) -> None:
        """`readers` is the TOML of its [[readers]]."""
        directory: Path = self._options.directory
        broker = {
            "url": self._options.broker,
            "password_file": self._options.passwords / f"{gateway.code}.password",
        }
        if self._options.ca_file is not None:
            broker["ca_file"] = self._options.ca_file
        lines = "".join(f'{key} = "{value}"\n' for key, value in broker.items())
        config = directory / f"{gateway.code}.toml"
        config.write_text(
            f'organization = "{site.organization.code}"\nfacility = "{site.facility.code}"\n'
            f'gateway = "{gateway.code}"\n[broker]\n{lines}'
            f'[spool]\npath = "{directory / gateway.code}.sqlite"\n{readers}'
        )
        log = directory / f"{gateway.code}.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "edge_agent.cli", "run", "--config", str(config)]
        self.children.append(Child(gateway.code, command, os.environ, log))

    def __enter__(self) -> Agents:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children:
            child.process.terminate()
        for child in self.children:
            child.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
