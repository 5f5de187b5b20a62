"""The agent's unit: what it forbids must not be what the agent needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "config/systemd/biotrakr-edge.service"
LINES = [line for line in UNIT.read_text().splitlines() if line and line[0] not in "#["]
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)


def test_the_manager_hears_of_the_agent() -> None:
    said = dict(line.split("=", 1) for line in LINES)
    assert said["Type"] == "notify" and said["NotifyAccess"] == "main"
    assert int(said["WatchdogSec"]) >= 30
    # biotrakr-edge status reads /run/biotrakr/status.json as anybody.
    assert (said["RuntimeDirectory"], said["RuntimeDirectoryMode"]) == ("biotrakr", "0755")


def test_a_serial_adapter_may_come_while_it_runs() -> None:
    """A list of devices is made when the service starts, and a driver may be loaded later."""
    assert not any(
        line.startswith(("PrivateDevices", "DevicePolicy", "DeviceAllow")) for line in LINES
    )


def _set(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The system calls of a systemd filter set."""
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    names = re.findall(r"^ {4}(\S+)$", done.stdout, re.MULTILINE)
    found: set[str] = set()
    for each in names:
        if each.startswith("@") and each not in seen:
            found |= _set(each, seen | {each})
        elif not each.startswith(("@", "#")):
            found.add(each)
    return found


def allowed() -> set[str]:
    calls: set[str] = set()
    for line in LINES:
        if not line.startswith("SystemCallFilter="):
            continue
        value = line.split("=", 1)[1]
        names = value.removeprefix("~").split()
        for name in names:
            members = _set(name) if name.startswith("@") else {name}
            calls = calls - members if value.startswith("~") else calls | members
    return calls


@needs_systemd
def test_what_the_agent_needs_is_allowed() -> None:
    calls = allowed()
    assert {"adjtimex", "clock_adjtime"} <= calls  # is the clock synchronised?
    assert {"fdatasync", "fsync", "flock", "fcntl", "ioctl", "fallocate", "rename"} <= calls
    assert {"epoll_wait", "socket", "sendmsg", "eventfd2", "clone3", "statfs"} <= calls
    assert not {"clock_settime", "settimeofday", "mount", "ptrace", "reboot", "bpf"} & calls


@needs_systemd
def test_exposure(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", copy],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:]
