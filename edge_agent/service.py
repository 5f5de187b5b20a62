"""Talking to the service manager: ready, status, watchdog. The protocol of sd_notify(3).

Without NOTIFY_SOCKET in the environment every call does nothing.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger("edge.service")


class ServiceManager:
    """`watchdog_s`: the manager ends a service that says nothing for so long; None: never."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract name.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._told: str | None = None
        self.watchdog_s = _watchdog_s(environment)

    def ready(self) -> None:
        self._send("READY=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def status(self, line: str) -> None:
        """What `systemctl status` shows; said again only when it is another."""
        if line != self._told:
            self._told = line
            self._send(f"STATUS={line}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(1)
                line.sendto(message.encode(), self._address)
        except OSError as error:
            log.debug("service manager not reached: %s", error)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Of WATCHDOG_USEC, unless it is meant for another process."""
    period_us = environment.get("WATCHDOG_USEC", "")
    process = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not period_us.isdecimal() or int(period_us) == 0 or process != str(os.getpid()):
        return None
    return int(period_us) / 1e6
