"""The process between us and a server: it ends the server when we are gone, however we went.

Run as a script of its own (``python -I -S watchdog.py '{...}'``), so it needs nothing but the
standard library and starts in an instant. It is told in one JSON argument:

    parent         process id it must not outlive
    command        the server's argument vector
    uid, gid       whom the server runs as, or null to stay who we are
    folder         the server's working folder
    death_signal   asks the server to end at once (it gets SIGKILL if it does not)
    remove         folder to delete when the parent died, or null
    private        descriptors the server must not inherit

It prints the server's process id and ends when the server and all its children have ended, with
the server's exit status (128 + signal when a signal ended it).

Why not only PR_SET_PDEATHSIG: that signal comes when the *thread* that started the child ends,
and it is forgotten when the child changes its user. Watching the parent's id has neither flaw.
The signal is still set on the server, for the case that the watchdog itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

POLL_S = 0.2
# After the parent's death the server has this long to end by itself, and so have children that
# outlive their server. Together they stay well under two seconds.
GRACE_S = 0.8
CHILDREN_GRACE_S = 0.3

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    told = json.loads(sys.argv[1])
    # Grandchildren whose parent dies (PostgreSQL's backends) come to us, not to init.
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signals = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = os.fork()
    if server == 0:
        _become_server(told)
    with contextlib.suppress(BrokenPipeError):
        print(server, flush=True)

    status, orphaned = _watch(server, told["parent"], signals)
    if status is None:
        status = _end(server, told["death_signal"])
    _end_children()
    if orphaned and told["remove"]:
        _remove(told["remove"])
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become_server(told: dict[str, Any]) -> None:
    try:
        for descriptor in told["private"]:
            os.close(descriptor)
        if told["uid"] is not None:
            os.setgroups([])
            os.setgid(told["gid"])
            os.setuid(told["uid"])
        watchdog = os.getppid()
        # After the change of user, which would clear it.
        _libc.prctl(_PR_SET_PDEATHSIG, told["death_signal"], 0, 0, 0)
        if os.getppid() != watchdog:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.umask(0o077)
        os.chdir(told["folder"])
        os.dup2(2, 1)  # our stdout is the pipe for the process id
        os.execv(told["command"][0], told["command"])  # noqa: S606
    except BaseException as error:  # whatever it was, this copy of the watchdog must not live on
        os.write(2, f"cannot run {told['command'][0]}: {error}\n".encode())
    os._exit(127)


def _watch(server: int, parent: int, signals: set[signal.Signals]) -> tuple[int | None, bool]:
    """Wait for the server's or the parent's end: (the server's status if it ended, orphaned)."""
    while True:
        status = _reap().get(server)
        orphaned = os.getppid() != parent
        if status is not None or orphaned:
            return status, orphaned
        received = signal.sigtimedwait(signals, POLL_S)
        if received is not None and received.si_signo != signal.SIGCHLD:
            return None, False


def _end(server: int, death_signal: int) -> int:
    """Ask, then insist; the status it ended with."""
    for number, grace_s in ((death_signal, GRACE_S), (signal.SIGKILL, 60.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, number)
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline:
            status = _reap().get(server)
            if status is not None:
                return status
            time.sleep(0.01)
    return 1


def _end_children() -> None:
    """Wait for adopted children; a busy backend of a killed postmaster would run on."""
    deadline = time.monotonic() + CHILDREN_GRACE_S
    while _has_children():
        if time.monotonic() > deadline:
            for child in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        time.sleep(0.01)


def _reap() -> dict[int, int]:
    """Collect every child that has ended: its id and its status."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (result := os.waitpid(-1, os.WNOHANG))[0]:
            ended[result[0]] = result[1]
    return ended


def _has_children() -> bool:
    _reap()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            # pid (name, which may hold anything) state parent ...
            status = (process / "stat").read_text()
            if int(status.rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(process.name))
    return found


def _remove(folder: str) -> None:
    import shutil  # noqa: PLC0415 - seldom needed, and it doubles the start

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
