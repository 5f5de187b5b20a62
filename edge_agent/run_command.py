"""`biotrakr-edge run`: read, spool and publish until stopped.

Exit status: 0 stopped as asked, 1 failed, 2 the configuration is wrong (nothing was started).
"""

from __future__ import annotations

import asyncio
import logging
import signal
from argparse import ArgumentParser, Namespace
from pathlib import Path

from edge_agent import faults
from edge_agent.agent import Agent
from edge_agent.errors import EdgeError
from edge_agent.logs import FORMATS, configure, fields
from edge_agent.settings import Settings, load

log = logging.getLogger("edge.agent")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="TOML file")
    levels = ("debug", "info", "warning", "error")
    parser.add_argument("--log-level", choices=levels, default="info")
    parser.add_argument("--log-format", choices=FORMATS, default="text")


def main(options: Namespace) -> int:
    settings = load(options.config)
    faults.install_from_environment()
    configure(options.log_level.upper(), options.log_format)
    try:
        asyncio.run(_run(settings))
    except EdgeError as error:
        log.error("cannot run %s", fields(error=error))
        return 1
    return 0


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
