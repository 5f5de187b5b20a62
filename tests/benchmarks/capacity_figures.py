"""Measures what the capacity plan is computed from, and writes config/capacity/measured.json.

    python tests/benchmarks/capacity_figures.py            about five minutes
    biotrakr capacity --write config/capacity/PLAN.md      then the plan

CPU seconds and bytes, not rates: they hardly depend on what else the machine does. A tenth of the
tags moves, messages of about 500 reads, every tag heard by 4 receivers once a second.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).parents[2]
OUT = ROOT / "config/capacity/measured.json"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from bench import broker_run  # noqa: E402
from bench.feeder import Feeder  # noqa: E402
from bench.load import Load, Recorded, prepare  # noqa: E402
from bench.replay_run import replay  # noqa: E402
from bench.services import FEEDER, Services, cpu_seconds  # noqa: E402
from kafka_log import PARTITIONS, TOPIC, kafka_log  # noqa: E402

from pipeline.cli.stack import Child  # noqa: E402
from pipeline.database.connect import connect  # noqa: E402

TABLE = "telemetry.location_history"
RAW_MESSAGES = 5_000
PASSES = 10
_RAW = (
    "copy pipeline.raw_batch (at, gateway_id, boot, sequence, building_id, first_at, until_at,"
    " reads, payload) from stdin"
)


def main() -> int:
    options = _options()
    load = Load(buildings=options.buildings, seconds=options.seconds)
    recorded = prepare(load)
    with Services() as services:
        figures = _storage(services, recorded)
        figures |= _processes(services, recorded)
        figures |= _bridge(services, recorded, options.directory)
    figures["payload_bytes_per_read"] = float(recorded.index["size"].sum()) / recorded.reads()
    figures["reads_per_message"] = recorded.mean_reads_a_message
    found = {name: float(f"{value:.4g}") for name, value in sorted(figures.items())}
    text = json.dumps({"command": "python tests/benchmarks/capacity_figures.py",
                       "load": {"buildings": load.buildings, "tags": load.tags,
                                "seconds": load.seconds, "moving": load.moving},
                       "figures": found}, indent=2)  # fmt: skip
    print(text)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(text + "\n", encoding="utf-8")
    return 0


def _storage(services: Services, recorded: Recorded) -> dict[str, float]:
    """Rows for each read; bytes on disk for each row and for each read that is kept as it came."""
    load = recorded.load
    with services.fresh(load.buildings, load.tags) as url, connect(url) as database:

        def ask(query: str) -> float:
            row = database.execute(query.encode()).fetchone()
            assert row is not None
            return float(row[0])

        before = ask("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
        replay(recorded, url, store=True, warm_s=0.0)
        logged = ask("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')") - before
        rows = ask(f"select count(*) from {TABLE}")
        # In its first seconds every tag counts as moving.
        half = load.start_us / 1e6 + load.seconds / 2
        later = ask(f"select count(*) from {TABLE} where ts > to_timestamp({half})")
        figures = {
            "location_rows_per_read": later
            / recorded.reads(recorded.first_after(load.seconds / 2)),
            "bytes_per_location_row": ask(f"select hypertable_size('{TABLE}')") / rows,
            "wal_bytes_per_location_row": logged / rows,
        }
        _copy_raw(database, recorded)
        kept = ask("select sum(reads) from pipeline.raw_batch")
        figures["bytes_per_raw_read"] = ask("select hypertable_size('pipeline.raw_batch')") / kept
    return figures


def _copy_raw(database: Any, recorded: Recorded) -> None:
    counts = recorded.index["reads"].tolist()
    with database.cursor() as cursor, cursor.copy(_RAW) as copy:
        for number in range(min(RAW_MESSAGES, len(recorded))):
            ((topic, payload, ready_us),) = recorded.messages(number, number + 1)
            if counts[number]:
                at = _when(ready_us)
                gateway = UUID(int=sum(topic.encode()))
                copy.write_row((at, gateway, "0" * 8, number, gateway, at, at, counts[number],
                                payload))  # fmt: skip


def _when(at_us: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(at_us // 1_000_000))


def _processes(services: Services, recorded: Recorded) -> dict[str, float]:
    """CPU of flow, broker and database for each read; memory for each tag."""
    load = recorded.load
    found = broker_run.run(services, recorded, 0.5 * load.reads_a_second)
    spent, reads = found["cpu_s"], found["measured_reads"]
    small = prepare(load.changed(buildings=1))
    less = broker_run.run(services, small, 0.5 * small.load.reads_a_second)["memory_mib"]
    tags = (load.buildings - 1) * load.tags
    per_tag = max(0.0, found["memory_mib"] - less) * 2**20 / tags
    return {
        "flow_cpu_us_per_read": 1e6 * spent["pipeline"] / reads,
        "broker_cpu_us_per_read": 1e6 * spent["broker"] / reads,
        "database_cpu_us_per_read": 1e6 * spent["database"] / reads,
        "memory_bytes_per_tag": per_tag,
        "memory_mib_per_process": less - per_tag * load.tags / 2**20,
    }


def _bridge(services: Services, recorded: Recorded, directory: Path) -> dict[str, float]:
    """CPU of the bridge for each message, and what its compression leaves of a payload."""
    import confluent_kafka

    services.clear_broker()
    with kafka_log() as brokers, Feeder(recorded, services.mqtt_url(FEEDER)) as feeder:
        consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "x"})

        def stored() -> int:
            parts = [confluent_kafka.TopicPartition(TOPIC, p) for p in range(PARTITIONS)]
            return sum((consumer.get_watermark_offsets(p) or (0, 0))[1] for p in parts)

        command = [sys.executable, "-m", "pipeline.cli.main", "bridge", "--kafka", brokers]
        bridge = Child("bridge", command, {"BIOTRAKR_MQTT_URL": services.mqtt_url("pipeline")},
                       directory / "bridge.log")  # fmt: skip
        try:
            time.sleep(5.0)  # connected and subscribed
            warm = len(recorded) // 4
            feeder.send(0, warm, recorded.load.reads_a_second / 2)
            _until(lambda: stored() >= warm)
            before = cpu_seconds(bridge.process.pid)
            # All at once: a bridge that waits also costs something.
            for _ in range(PASSES):
                feeder.send(warm, len(recorded), 1e9)
            moved = PASSES * (len(recorded) - warm)
            _until(lambda: stored() >= warm + moved)
            spent = cpu_seconds(bridge.process.pid) - before
        finally:
            bridge.kill()
            consumer.close()
    return {"bridge_cpu_us_per_message": 1e6 * spent / moved}


def _until(reached: Any, timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError("the bridge did not move everything")
        time.sleep(0.2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buildings", type=int, default=4, help="of 5,000 tags each")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="for the bridge's log")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
