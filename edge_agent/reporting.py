"""Tells everybody how the agent is: the broker, the status file, the service manager."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from edge_agent import local_status
from edge_agent.health import health_of
from edge_agent.logs import fields
from edge_agent.settings import Settings
from pipeline.contracts.messages import GatewayStatus

if TYPE_CHECKING:
    from edge_agent.agent import Agent

log = logging.getLogger("edge.status")

_LOOK_S = 0.25
_LOOP_STUCK_S = 60.0


class Reporting:
    """Every `status_s` seconds, and soon after something changed."""

    def __init__(self, agent: Agent, settings: Settings) -> None:
        self._agent = agent
        self._settings = settings
        self._path = local_status.path_of(settings)
        self._file_failed: str | None = None
        self._turned = agent.pulse.expect("loop", _LOOP_STUCK_S)

    async def run(self) -> None:
        signature: object = None
        due_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._turned()
            if loop.time() >= due_s or signature != self._signature():
                signature = self._signature()
                due_s = loop.time() + self._settings.status_s
                await asyncio.to_thread(self.tell)
            await asyncio.sleep(_LOOK_S)

    def _signature(self) -> tuple[object, ...]:
        publisher = self._agent.publisher
        return (
            *self._agent.status.signature(),
            self._agent.remote.report,
            publisher.connected,
            publisher.error,
        )

    def tell(self) -> None:
        """May wait for the spool's lock, hence not in the loop."""
        report = self._agent.report()
        self._agent.publisher.show(report)
        self._write(report)
        self._agent.manager.status(self._line(report))

    def goodbye(self) -> None:
        self._write(self._agent.status.build("offline"))

    def _write(self, report: GatewayStatus) -> None:
        health = health_of(self._agent, report)
        every_s = self._settings.status_s
        content = local_status.compose(report, health, self._broker(), every_s=every_s)
        try:
            local_status.write(self._path, content)
        except OSError as error:
            if str(error) != self._file_failed:
                log.warning("no status file %s", fields(path=self._path, error=error))
            self._file_failed = str(error)
        else:
            self._file_failed = None

    def _broker(self) -> dict[str, Any]:
        publisher = self._agent.publisher
        acknowledged_s = publisher.acknowledged_s
        return {
            "url": self._settings.broker.url,
            "user": self._settings.user,
            "connected": publisher.connected,
            "error": publisher.error,
            "last_ack_s": None if acknowledged_s is None else time.monotonic() - acknowledged_s,
        }

    def _line(self, report: GatewayStatus) -> str:
        running = sum(reader.state == "running" for reader in report.readers)
        there = "connected" if self._agent.publisher.connected else "not connected"
        waiting = f"{report.spool.batches} batches wait" if report.spool else "spool not readable"
        return f"{there}, {running} of {len(report.readers)} readers run, {waiting}"
