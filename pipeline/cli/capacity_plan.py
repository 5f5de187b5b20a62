"""What a number of facilities needs: arithmetic over measured figures and named assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp

DAY_S = 86_400
GB = 1e9
MOST_TIMES = 4
"""More shards than this many times the least are not worth it that nobody has to choose."""


@dataclass(frozen=True)
class Measured:
    """config/capacity/measured.json; tests/benchmarks/capacity_figures.py writes it."""

    flow_cpu_us_per_read: float
    broker_cpu_us_per_read: float
    database_cpu_us_per_read: float
    bridge_cpu_us_per_message: float
    memory_mib_per_process: float
    memory_bytes_per_tag: float
    payload_bytes_per_read: float
    reads_per_message: float
    location_rows_per_read: float
    bytes_per_location_row: float
    wal_bytes_per_location_row: float
    bytes_per_raw_read: float


@dataclass(frozen=True)
class Assumed:
    """What nobody has measured: what the site is like, and how much room is left."""

    tags: int = 5_000
    receivers: float = 4.0
    reads_per_s: float = 1.0
    gateways: int = 40
    utilisation: float = 0.5
    shard_limit: float = 0.7
    memory_headroom: float = 1.5
    host_cores: int = 16
    database_cores: int = 32
    database_wal_mb_s: float = 250.0
    compression: float = 10.0
    compress_after_days: int = 30
    history_years: int = 10
    raw_hours: int = 24
    log_hours: int = 24
    log_copies: int = 3
    partitions_per_shard: int = 4


@dataclass(frozen=True)
class Plan:
    facilities: int
    reads_s: float
    messages_s: float
    payload_mb_s: float
    gateways: int
    broker_cores: float
    brokers: int
    flow_cores: float
    shards: int
    by_hand: bool
    """A hash would deal too unevenly: facilities are chosen by hand, with --facility."""
    fullest_shard: int
    """Facilities of the shard that has most."""
    shard_utilisation: float
    """Of the one core that the fullest shard can use."""
    shard_memory_mib: float
    bridges: int
    partitions: int
    log_tb: float
    rows_s: float
    database_cores: float
    wal_mb_s: float
    databases: int
    history_gb_day: float
    compressed_gb_day: float
    history_tb: float
    raw_gb_day: float
    raw_tb: float
    hosts: int
    """For brokers, shards and bridges; databases and the log's own servers come on top."""
    broker_connections: int
    database_connections: int


def plan(facilities: int, m: Measured, a: Assumed) -> Plan:
    """Raises ValueError when one facility is more than a shard can do."""
    reads_s = facilities * a.tags * a.receivers * a.reads_per_s
    messages_s = reads_s / m.reads_per_message
    rows_s = reads_s * m.location_rows_per_read
    flow_cores = reads_s * m.flow_cpu_us_per_read / 1e6
    broker_cores = reads_s * m.broker_cpu_us_per_read / 1e6
    database_cores = reads_s * m.database_cpu_us_per_read / 1e6
    bridge_cores = messages_s * m.bridge_cpu_us_per_message / 1e6
    wal_mb_s = rows_s * m.wal_bytes_per_location_row / 1e6
    shards, fullest, by_hand = share_out(facilities, flow_cores / facilities, a.shard_limit)
    brokers, bridges = ceil(broker_cores / a.utilisation), ceil(bridge_cores / a.utilisation)
    databases = max(
        ceil(database_cores / (a.database_cores * a.utilisation)),
        ceil(wal_mb_s / (a.database_wal_mb_s * a.utilisation)),
    )
    tags_mib = fullest * a.tags * m.memory_bytes_per_tag / 2**20
    history_gb_day = rows_s * DAY_S * m.bytes_per_location_row / GB
    days = a.history_years * 365 - a.compress_after_days
    compressed_gb_day = history_gb_day / a.compression
    raw_gb_day = reads_s * DAY_S * m.bytes_per_raw_read / GB
    return Plan(
        facilities=facilities,
        reads_s=reads_s,
        messages_s=messages_s,
        payload_mb_s=reads_s * m.payload_bytes_per_read / 1e6,
        gateways=facilities * a.gateways,
        broker_cores=broker_cores,
        brokers=brokers,
        flow_cores=flow_cores,
        shards=shards,
        by_hand=by_hand,
        fullest_shard=fullest,
        shard_utilisation=fullest * flow_cores / facilities,
        shard_memory_mib=(m.memory_mib_per_process + tags_mib) * a.memory_headroom,
        bridges=bridges,
        partitions=shards * a.partitions_per_shard,
        log_tb=reads_s * m.payload_bytes_per_read * a.log_hours * 3600 * a.log_copies / 1e12,
        rows_s=rows_s,
        database_cores=database_cores,
        wal_mb_s=wal_mb_s,
        databases=databases,
        history_gb_day=history_gb_day,
        compressed_gb_day=compressed_gb_day,
        history_tb=(history_gb_day * a.compress_after_days + compressed_gb_day * days) / 1000,
        raw_gb_day=raw_gb_day,
        raw_tb=raw_gb_day * a.raw_hours / 24 / 1000,
        hosts=ceil((broker_cores + flow_cores + bridge_cores) / (a.host_cores * a.utilisation)),
        broker_connections=facilities * a.gateways + 2 * shards + bridges,
        # Sink, registry, outbox, lock.
        database_connections=4 * shards,
    )


def share_out(facilities: int, cores_each: float, limit: float) -> tuple[int, int, bool]:
    """Shards, facilities of the fullest, and whether they have to be chosen by hand.

    The least number of shards whose fullest stays below `limit` of its one core; by hand, each is
    as full as that, when a hash would need more than MOST_TIMES as many. Raises ValueError when one
    facility is too much already.
    """
    if cores_each > limit:
        raise ValueError(
            f"one facility needs {cores_each:.2f} cores, more than {limit:.2f} of the one that a "
            "shard can use; a facility cannot be split"
        )
    most = int(limit / cores_each)
    least = shards = ceil(facilities / most)
    while (fullest := fullest_of(facilities, shards)) > most:
        shards += 1
        if shards > MOST_TIMES * least:
            return least, min(most, facilities), True
    return shards, fullest, False


def fullest_of(facilities: int, shards: int) -> int:
    """Facilities of the fullest shard, as likely more as fewer, when a hash deals them out."""
    mean, below, term, count = facilities / shards, 0.0, exp(-facilities / shards), 0
    if shards == 1:
        return facilities
    while True:  # P(a shard has at most `count`), Poisson; all of them: to the power of `shards`
        below += term
        if below**shards >= 0.5 or count == facilities:
            return max(count, ceil(mean))
        count += 1
        term *= mean / count
