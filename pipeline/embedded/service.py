"""What the two servers have in common: start, stop, kill, restart, and the folder they live in."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, Signals
from types import TracebackType
from typing import Self

from pipeline.embedded.account import Account, server_account
from pipeline.embedded.errors import NotRunningError, PortTakenError, ServiceError, StartFailedError
from pipeline.embedded.folders import Folder
from pipeline.embedded.packages import Installation
from pipeline.embedded.ports import free_port, is_free
from pipeline.embedded.supervise import Supervised, launch

POLL_S = 0.01
_PORT_ATTEMPTS = 5
_BIND_FAILURES = ("Address already in use", "could not bind")


class Service(ABC):
    """A server in a folder, on one port of the loopback interface for all of its life."""

    name: str
    polite_signal: Signals  # stops it in order
    prompt_signal: Signals  # stops it at once, without loss of what it acknowledged
    start_timeout_s = 60.0
    stop_timeout_s = 30.0

    def __init__(
        self, installation: Installation, folder: Folder, progress: Callable[[str], None]
    ) -> None:
        self.installation = installation
        self._folder = folder
        self._report = progress
        self._server: Supervised | None = None
        self._started_before = False
        self.data_dir = folder.path / "data"
        self.log = folder.path / "server.log"
        self._account: Account = server_account(self.data_dir)
        self.port: int = folder.load_state().get("port") or free_port()

    @property
    def directory(self) -> Path:
        """The folder that holds data, log and state."""
        return self._folder.path

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._server is not None and self._server.alive

    @property
    def pid(self) -> int:
        """The server's process id. Raises NotRunningError."""
        if self._server is None or not self.running:
            raise NotRunningError(self.name, "asking for its process id")
        return self._server.pid

    def start(self) -> None:
        """Start and wait until it takes connections; nothing happens when it runs already.

        Data and port are those of the earlier start, if there was one.
        Raises StartFailedError or PortTakenError.
        """
        if self.running:
            return
        self._prepare()
        self._report(f"starting {self.name}")
        for _ in range(_PORT_ATTEMPTS):
            try:
                self._start_once()
            except PortTakenError:
                # Clients know the port from the first start on: it must not change any more.
                if self._started_before:
                    raise
                self.port = free_port()
            else:
                self._started_before = True
                self._folder.save_state(port=self.port)
                return
        raise PortTakenError(self.name, self.port)

    def stop(self) -> None:
        """Stop in order; nothing happens when it does not run."""
        self._end(self.polite_signal, self.prompt_signal, SIGKILL)

    def kill(self) -> None:
        """SIGKILL, as a crash would; returns when the server and its children are gone."""
        self._end(SIGKILL)

    def restart(self) -> None:
        """Stop in order and start again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, unlock the folder, and remove it if it is a temporary one."""
        try:
            if self._folder.temporary:
                self._end(self.prompt_signal, SIGKILL)
            else:
                self.stop()
        finally:
            self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _prepare(self) -> None:
        """Make data and configuration, where they are missing."""

    @abstractmethod
    def _command(self) -> list[str | Path]:
        """How to run the server in the foreground."""

    @abstractmethod
    def _is_ready(self, server: Supervised) -> bool:
        """Whether this very server (not another on the port) takes connections."""

    def _start_once(self) -> None:
        if not is_free(self.port):
            raise PortTakenError(self.name, self.port)
        logged = self.log.stat().st_size if self.log.exists() else 0
        server = launch(
            self._command(),
            account=self._account,
            folder=self._folder,
            log=self.log,
            death_signal=self.prompt_signal,
        )
        deadline = time.monotonic() + self.start_timeout_s
        while not self._is_ready(server):
            if not server.alive:
                said = self._log_since(logged)
                if any(failure in said for failure in _BIND_FAILURES):
                    raise PortTakenError(self.name, self.port)
                raise StartFailedError(self.name, "it ended", said)
            if time.monotonic() > deadline:
                server.signal(SIGKILL)
                server.wait(10)
                why = f"it was not ready after {self.start_timeout_s:.0f} s"
                raise StartFailedError(self.name, why, self._log_since(logged))
            time.sleep(POLL_S)
        self._server = server

    def _end(self, *signals: Signals) -> None:
        """Send one signal after the other until the server is gone."""
        if self._server is None:
            return
        for number in signals:
            self._server.signal(number)
            if self._server.wait(self.stop_timeout_s):
                self._server = None
                return
        raise ServiceError(self.name, f"{self.name} does not end, not even by {signals[-1].name}")

    def _log_since(self, offset: int, limit: int = 4_000) -> str:
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read()[-limit:].decode(errors="replace")
