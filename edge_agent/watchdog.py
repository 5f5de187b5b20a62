"""Feeds the service manager's watchdog as long as every loop moves."""

from __future__ import annotations

import asyncio
import logging

from edge_agent.logs import fields
from edge_agent.pulse import Pulse
from edge_agent.service import ServiceManager

log = logging.getLogger("edge.service")

_FEEDS_A_PERIOD = 4
_LOOK_S = 10.0
"""Without a watchdog stuck loops are still looked for, and logged."""


async def keep_alive(manager: ServiceManager, pulse: Pulse) -> None:
    """For ever. A loop that stands still is logged once, and starves the watchdog."""
    pause_s = (manager.watchdog_s or _LOOK_S * _FEEDS_A_PERIOD) / _FEEDS_A_PERIOD
    told: set[str] = set()
    while True:
        stuck = pulse.stuck()
        if new := stuck.keys() - told:
            log.critical("standing still %s", fields(loops=", ".join(sorted(new))))
        told = set(stuck)
        if not stuck:
            manager.alive()
        await asyncio.sleep(pause_s)
