"""One run from broker to database: real Mosquitto, `biotrakr run`, real TimescaleDB.

The first WARM_S of event time fill the state (every tag is seen for the first time) and are
committed before the clock starts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from bench import hospital
from bench.children import ENVIRONMENT
from bench.feeder import Feeder, Publisher
from bench.load import BOOT, Recorded
from bench.replay_run import POLICY, WARM_S
from bench.services import FEEDER, Services, cpu_seconds, peak_memory_mib

from pipeline.cli.stack import Child
from pipeline.contracts import topics
from pipeline.contracts.codec import encode_json
from pipeline.contracts.messages import GatewayStatus
from pipeline.contracts.reads import ClockState
from pipeline.database.connect import connect

GIVE_UP_S = 300.0


def run(
    services: Services,
    recorded: Recorded,
    reads_per_s: float | None,
    *,
    shards: int = 1,
    warm_s: float = WARM_S,
    settings: str = "",
) -> dict[str, Any]:
    """Send a load at `reads_per_s`; None: in real time, for a load that begins in the future.

    `settings`: more lines of the pipeline's configuration. Raises AssertionError when a read does
    not arrive.
    """
    services.clear_broker()
    load = recorded.load
    with ExitStack() as stack:
        url = stack.enter_context(services.fresh(load.buildings, load.tags))
        parts = [
            [hospital.facility(b) for b in range(shard, load.buildings, shards)]
            for shard in range(shards)
        ]
        children = stack.enter_context(_pipelines(services, url, parts, settings))
        database = stack.enter_context(connect(url))
        feeder = stack.enter_context(Feeder(recorded, services.mqtt_url(FEEDER)))
        _wait_for_subscriptions(services, database, children, parts)
        # In real time a pause after the warm-up would be a delay of what follows.
        warm = recorded.first_after(warm_s) if reads_per_s else 0
        if reads_per_s:
            feeder.send(0, warm, min(reads_per_s, load.reads_a_second))
            _wait_until(lambda: _behind_s(database, load, warm_s) < 4.0, children, "the warm-up")
        before = _cpu(services, children, feeder)
        sent = feeder.send(warm, len(recorded), reads_per_s)
        at_the_end = _committed(database)
        total = recorded.reads()
        _wait_until(lambda: _committed(database) >= total, children, f"{total} reads")
        spent = {k: v - before[k] for k, v in _cpu(services, children, feeder).items()}
        found = _figures(database, recorded, warm, warm_s, sent)
        assert _committed(database) == total
        return found | {
            "pace": reads_per_s,
            "backlog_reads": total - at_the_end,
            "behind_s": sent["behind_s"],
            "cpu_s": spent,
            "memory_mib": max(peak_memory_mib(c.process.pid) for c in children),
        }


@contextmanager
def _pipelines(
    services: Services, url: str, parts: Sequence[Sequence[str]], settings: str
) -> Iterator[list[Child]]:
    policy = "".join(f"{name} = {value}\n" for name, value in POLICY.items())
    with tempfile.TemporaryDirectory() as folder:
        children = []
        try:
            for number, facilities in enumerate(parts):
                home = Path(folder) / str(number)
                home.mkdir()
                config = home / "pipeline.toml"
                config.write_text(f'shard = "s{number}"\n{settings}\n[policy]\n{policy}')
                command = [sys.executable, "-m", "pipeline.cli.main", "--log-level", "INFO", "run"]
                command += ["--config", str(config)]
                command += ["--recovery-directory", str(home / "recovery")]
                for facility in facilities if len(parts) > 1 else ():
                    command += ["--facility", f"{hospital.ORGANIZATION}/{facility}"]
                addresses = {
                    "BIOTRAKR_DATABASE_URL": url,
                    "BIOTRAKR_MQTT_URL": services.mqtt_url("pipeline"),
                } | ENVIRONMENT
                children.append(Child(f"s{number}", command, addresses, home / "log"))
            yield children
        finally:
            for child in children:
                child.kill()


def _wait_for_subscriptions(
    services: Services, database: Any, children: Sequence[Child], parts: Sequence[Sequence[str]]
) -> None:
    """A broker drops what nobody has subscribed to: ask by status messages until one arrives."""
    user, password = services.broker.credentials(FEEDER)
    gateway = hospital.gateway(0)
    publisher = Publisher("127.0.0.1", services.broker.port, user, password)

    def subscribed() -> bool:
        now = datetime.now(UTC)
        clock = ClockState(synchronised=True)
        status = GatewayStatus(gateway=gateway, state="online", version="1", boot=BOOT, at=now,
                               started_at=now, clock=clock)  # fmt: skip
        payload = encode_json(status)
        places = [(hospital.ORGANIZATION, facilities[0], gateway) for facilities in parts]
        publisher.send((topics.gateway(*place, "status"), payload, 0) for place in places)
        (count,) = database.execute("select count(*) from pipeline.gateway_status").fetchone()
        return count == len(parts)

    try:
        _wait_until(subscribed, children, "a status message")
    finally:
        publisher.close()


def _wait_until(reached: Any, children: Sequence[Child], what: str) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not reached():
        dead = [child for child in children if not child.running]
        if dead or time.monotonic() > deadline:
            words = "\n".join(child.last_words() for child in children)
            raise AssertionError(f"the pipeline did not take {what}:\n{words}")
        time.sleep(0.2)


def _behind_s(database: Any, load: Any, event_s: float) -> float:
    """How far the slowest building is behind this moment of event time."""
    (buildings, end_us) = database.execute(
        "select count(*), min(extract(epoch from window_end) * 1e6) from pipeline.progress"
    ).fetchone()
    if buildings < load.buildings:
        return float("inf")
    return event_s - (float(end_us) - load.start_us) / 1e6


def _committed(database: Any) -> int:
    (reads,) = database.execute(
        "select coalesce(sum(reads), 0) from pipeline.window_commit"
    ).fetchone()
    return int(reads)


def _cpu(services: Services, children: Sequence[Child], feeder: Feeder) -> dict[str, float]:
    return {
        "broker": cpu_seconds(services.broker.pid),
        "database": cpu_seconds(services.database.pid),
        "pipeline": sum(cpu_seconds(child.process.pid) for child in children),
        "feeder": cpu_seconds(feeder.pid),
    }


_WINDOWS = """
select extract(epoch from committed_at)::float8, extract(epoch from window_end)::float8,
    reads::float8, positions::float8
from pipeline.window_commit order by committed_at
"""


def _figures(
    database: Any, recorded: Recorded, warm: int, warm_s: float, sent: dict[str, float]
) -> dict[str, float]:
    """Of the windows that were committed after the first measured message was sent."""
    table = np.array(database.execute(_WINDOWS).fetchall())
    committed, end, reads, rows = table[table[:, 0] > sent["began"]].T
    published = recorded.reads(warm)
    middle = (sent["began"] + sent["sent"]) / 2
    done = reads[committed <= middle].sum() - (reads.sum() - published)
    rate = published / (sent["sent"] - sent["began"])
    found = {
        "measured_reads": published,
        "reads_per_s": published / (committed[-1] - sent["began"]),
        "sent_per_s": rate,
        "end_lag_s": committed[-1] - sent["sent"],
        "backlog_middle_s": (published / 2 - done) / rate,
        "rows_per_s": rows.sum() / (committed[-1] - sent["began"]),
        "rows_a_window": rows.mean(),
    }
    # A window that the tail closes waits for no gateway: it would flatter.
    start, seconds = recorded.load.start_us / 1e6, recorded.load.seconds
    whole = (end > start + warm_s) & (end < start + seconds - 2)
    lag = np.repeat((committed - end)[whole], rows[whole].astype(int))
    if len(lag):
        found |= {"latency_p50_s": np.quantile(lag, 0.5), "latency_p99_s": np.quantile(lag, 0.99)}
    return {name: float(value) for name, value in found.items()}
