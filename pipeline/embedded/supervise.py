"""Start a server that cannot outlive us, through the watchdog."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.embedded.account import Account
from pipeline.embedded.folders import Folder

_WATCHDOG = Path(__file__).with_name("watchdog.py")


class Supervised:
    """A running server and the watchdog above it."""

    def __init__(self, watchdog: subprocess.Popen[str], pid: int) -> None:
        self._watchdog = watchdog
        self.pid = pid

    @property
    def alive(self) -> bool:
        """Whether the server, or a child of it, still runs."""
        return self._watchdog.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server (not to its children)."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout_s: float) -> bool:
        """Whether the server and all its children have ended within `timeout_s` seconds."""
        try:
            self._watchdog.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def launch(
    command: Sequence[str | Path],
    *,
    account: Account,
    folder: Folder,
    log: Path,
    death_signal: signal.Signals,
) -> Supervised:
    """Start `command` as `account`; its output is appended to `log`.

    The server ends within two seconds of this process's end, even when that is a SIGKILL.
    The folder's lock passes to the watchdog as well, so it is held until the server is gone.
    """
    told = {
        "parent": os.getpid(),
        "command": [str(part) for part in command],
        "uid": None if account.is_ours else account.uid,
        "gid": account.gid,
        "folder": "/",
        "death_signal": int(death_signal),
        "remove": str(folder.path) if folder.temporary else None,
        "private": [folder.lock],
    }
    with log.open("ab") as output:
        watchdog = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(_WATCHDOG), json.dumps(told)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env=environment(),
            cwd="/",
            start_new_session=True,  # Ctrl-C in a terminal is for us to handle, not for servers
            pass_fds=[folder.lock],
        )
    assert watchdog.stdout is not None
    with watchdog.stdout:
        announced = watchdog.stdout.readline()
    return Supervised(watchdog, int(announced or 0))


def environment() -> dict[str, str]:
    """An environment that does not depend on ours (LD_LIBRARY_PATH, PG*, locale, time zone)."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def run_as(account: Account, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a short command as `account`; its standard error is in its output."""
    return subprocess.run(  # noqa: S603 - for programs of the private folder
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        cwd="/",
        check=False,
        user=None if account.is_ours else account.uid,
        group=None if account.is_ours else account.gid,
        extra_groups=None if account.is_ours else [],
    )
