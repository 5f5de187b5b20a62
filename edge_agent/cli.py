"""The `biotrakr-edge` command.

Exit status: 0 stopped as asked, 1 failed, 2 the configuration is wrong (nothing was started).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_agent import decode_command, faults
from edge_agent.agent import Agent
from edge_agent.errors import EdgeError, SettingsError
from edge_agent.logs import FORMATS, configure, fields
from edge_agent.settings import Settings, load
from edge_agent.status import program_version

log = logging.getLogger("edge.agent")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.command == "decode":
        return decode_command.main(options)
    try:
        settings = load(options.config)
        faults.install_from_environment()
    except SettingsError as error:
        for mistake in error.mistakes:
            print(f"biotrakr-edge: {mistake}", file=sys.stderr)
        return 2
    if options.command == "check-config":
        print(f"{options.config}: good, gateway {settings.user}, {len(settings.readers)} readers")
        return 0
    configure(options.log_level.upper(), options.log_format)
    try:
        asyncio.run(_run(settings))
    except EdgeError as error:
        log.error("cannot run %s", fields(error=error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="biotrakr-edge", description=__doc__)
    parser.add_argument("--version", action="version", version=program_version())
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="read, spool and publish until stopped")
    check = commands.add_parser("check-config", help="say whether the configuration is good")
    for command in (run, check):
        command.add_argument("--config", type=Path, required=True, help="TOML file")
    decode = commands.add_parser("decode", help="say what decoders make of bytes on standard input")
    decode_command.add_arguments(decode)
    levels = ("debug", "info", "warning", "error")
    run.add_argument("--log-level", choices=levels, default="info")
    run.add_argument("--log-format", choices=FORMATS, default="text")
    return parser


async def _run(settings: Settings) -> None:
    agent = Agent(settings)
    if settings.metrics_address is not None:
        # Only who is asked for numbers needs the memory for it.
        from edge_agent.metrics import listen  # noqa: PLC0415

        listen(agent, settings.metrics_address)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, agent.stop)
    await agent.run()


if __name__ == "__main__":
    sys.exit(main())
