"""The status file: what the agent says about itself to whoever is logged in on the gateway.

A file and not a socket, so that anybody may read it and a hung agent cannot keep anybody waiting.
Its age is told by the monotonic clock: a wall clock that jumps makes nothing old.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_agent.settings import Settings
from pipeline.contracts.health import Health
from pipeline.contracts.messages import GatewayStatus

DEFAULT = Path("/run/biotrakr/status.json")
"""Where the systemd unit puts it."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def path_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """`status_file`, else in the service manager's runtime directory, else beside the spool."""
    if settings.status_file is not None:
        return settings.status_file
    runtime = environment.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(runtime, "status.json") if runtime else beside(settings.spool.path)


def beside(spool: Path) -> Path:
    return Path(f"{spool}.status")


def compose(
    report: GatewayStatus, health: Health, broker: Mapping[str, Any], *, every_s: float
) -> dict[str, Any]:
    return {
        "status": report.model_dump(mode="json"),
        "health": json.loads(health.encode()),
        "broker": dict(broker),
        "process": os.getpid(),
        "kernel_boot": kernel_boot(),
        "uptime_s": uptime_s(),
        "every_s": every_s,
    }


def write(path: Path, content: Mapping[str, Any]) -> None:
    """In one step. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(content))
    draft.chmod(0o644)
    draft.replace(path)


def age_s(content: Mapping[str, Any]) -> float | None:
    """Seconds since it was written; None: by an earlier boot of the machine."""
    if content.get("kernel_boot") != kernel_boot():
        return None
    return uptime_s() - float(content["uptime_s"])


def uptime_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kernel_boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
