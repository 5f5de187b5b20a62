"""The `biotrakr-edge` command.

Exit status: 0 stopped as asked, 1 failed, 2 the configuration is wrong (nothing was started).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent import decode_command, faults, provision_command, status_command
from edge_agent.discover import command as discover
from edge_agent.errors import EdgeError, SettingsError
from edge_agent.logs import FORMATS, configure, fields
from edge_agent.program import program_version
from edge_agent.settings import Settings, load

log = logging.getLogger("edge.agent")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.call(options))
    except SettingsError as error:
        for mistake in error.mistakes:
            print(f"biotrakr-edge: {mistake}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has enough of it
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="biotrakr-edge", description=__doc__)
    parser.add_argument("--version", action="version", version=program_version())
    commands = parser.add_subparsers(dest="command", required=True)

    def add(
        name: str, text: str, call: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text)
        command.set_defaults(call=call)
        return command

    run = add("run", "read, spool and publish until stopped", _run)
    check = add("check-config", "say whether the configuration is good", _check)
    for command in (run, check):
        command.add_argument("--config", type=Path, required=True, help="TOML file")
    levels = ("debug", "info", "warning", "error")
    run.add_argument("--log-level", choices=levels, default="info")
    run.add_argument("--log-format", choices=FORMATS, default="text")
    text = "how the agent here is; exit status 0 well, 1 in trouble, 2 not running"
    status_command.add_arguments(add("status", text, status_command.main))
    text = "say what answers on the serial ports and what is in the air"
    discover.add_arguments(add("discover", text, discover.main))
    text = "make this gateway's key and certificate request, say what ops must enter"
    provision_command.add_arguments(add("provision", text, provision_command.main))
    text = "say what decoders make of bytes on standard input"
    decode_command.add_arguments(add("decode", text, decode_command.main))
    return parser


def _check(options: argparse.Namespace) -> int:
    settings = load(options.config)
    faults.install_from_environment()
    print(f"{options.config}: good, gateway {settings.user}, {len(settings.readers)} readers")
    return 0


def _run(options: argparse.Namespace) -> int:
    settings = load(options.config)
    faults.install_from_environment()
    configure(options.log_level.upper(), options.log_format)
    try:
        asyncio.run(_agent(settings))
    except EdgeError as error:
        log.error("cannot run %s", fields(error=error))
        return 1
    return 0


async def _agent(settings: Settings) -> None:
    # Here and not above: the other commands start without MQTT and SQLite.
    from edge_agent.agent import Agent  # noqa: PLC0415

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
