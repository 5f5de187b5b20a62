"""Whether reads are heard, kept and sent: the checks behind /health and `biotrakr-edge status`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.certificates import ends_at
from pipeline.contracts.health import Check, Health
from pipeline.contracts.messages import GatewayStatus

if TYPE_CHECKING:
    from edge_agent.agent import Agent

BROKER_S = 60.0
"""How long the broker may be away."""
CERTIFICATE_DAYS = 30
"""A certificate that ends sooner is trouble."""
ACK_S = 300.0
"""How long batches may wait for an acknowledgement while the broker is there."""


def health_of(agent: Agent, report: GatewayStatus | None = None) -> Health:
    """`report`: the status message, when the caller has just made it."""
    report = report or agent.report()
    certificate = certificate_check(agent.certificate, datetime.now(UTC))
    return Health(
        [
            _loops(agent),
            _broker(agent),
            _acks(agent, report),
            _spool(agent, report),
            _readers(report),
            _clock(report),
            _configuration(report),
            *([certificate] if certificate is not None else []),
        ]
    )


def certificate_check(path: Path | None, now: datetime) -> Check | None:
    """Of this gateway's own certificate; None: it has none."""
    if path is None:
        return None
    advice = "have it signed anew: send gateway.csr to ops (biotrakr keys sign)"
    try:
        left = ends_at(path) - now
    except (OSError, ValueError) as error:
        return Check("certificate", 1.0, 0.0, str(error), advice)
    told = f"ends in {left.days} days" if left.days >= 0 else "has ended"
    month_s = CERTIFICATE_DAYS * 86_400
    return Check("certificate", max(0.0, month_s - left.total_seconds()), 0.0, told, advice)


def _loops(agent: Agent) -> Check:
    stuck = agent.pulse.stuck()
    detail = ", ".join(f"{name} for {age_s:.0f} s" for name, age_s in stuck.items())
    return Check("loop", max(stuck.values(), default=0.0), 0.0,
                 f"stand still: {detail}" if stuck else "all move",
                 "the agent hangs: start it again")  # fmt: skip


def _broker(agent: Agent) -> Check:
    lost_s = agent.publisher.lost_s
    return Check("broker", 0.0 if lost_s is None else time.monotonic() - lost_s, BROKER_S,
                 "connected" if lost_s is None else agent.publisher.error or "not connected",
                 "see whether the broker can be reached and accepts this gateway; reads are kept",
                 )  # fmt: skip


def _acks(agent: Agent, report: GatewayStatus) -> Check:
    waiting = report.spool.batches if report.spool is not None else 0
    age_s = min(agent.publisher.unanswered_s(), _oldest_s(report)) if waiting else 0.0
    return Check("pipeline", age_s, ACK_S,
                 f"{waiting} batches wait, none acknowledged for {age_s:.0f} s" if waiting
                 else "everything is acknowledged",
                 "see whether the pipeline runs and knows this gateway; reads are kept",
                 )  # fmt: skip


def _oldest_s(report: GatewayStatus) -> float:
    oldest = report.spool.oldest_at if report.spool is not None else None
    return 0.0 if oldest is None else max(0.0, time.time() - oldest.timestamp())


def _spool(agent: Agent, report: GatewayStatus) -> Check:
    error = agent.stores.error
    dropped = report.spool.dropped_reads if report.spool is not None else 0
    told = "can be written" + (f"; {dropped} reads were given up so far" if dropped else "")
    return Check("spool", float(error is not None), 0.0, error or told,
                 "see whether the disk is full or read-only; reads are kept in memory meanwhile",
                 )  # fmt: skip


def _readers(report: GatewayStatus) -> Check:
    down = [
        f"{reader.name} ({reader.error or reader.state})"
        for reader in report.readers
        if reader.state in ("silent", "failed")
    ]
    return Check("readers", float(bool(down)), 0.0,
                 f"not heard: {', '.join(down)}" if down else "all are heard",
                 "see the reader's cable, power and settings; biotrakr-edge discover shows what "
                 "answers where")  # fmt: skip


def _clock(report: GatewayStatus) -> Check:
    synchronised = report.clock.synchronised
    # Reads are corrected once the clock's error is known, so it is no failure by itself.
    told = "set by a time server" if synchronised else "not set by a time server yet"
    return Check("clock", 0.0, 0.0, told, "")


def _configuration(report: GatewayStatus) -> Check:
    config = report.config
    problem = config.problem if config is not None else None
    revision = config.revision if config is not None else None
    told = "as in the file" if revision is None else f"revision {revision} in force"
    return Check("configuration", float(problem is not None), 0.0, problem or told,
                 "send another one: biotrakr gateway configure")  # fmt: skip
