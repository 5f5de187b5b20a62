"""The load: what all gateways of all buildings send, encoded once and kept in a file.

`prepare` makes it (deterministically) or finds it in the cache; `Recorded` reads it through a
memory map, so neither generation nor a copy of it is part of any figure.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from bench import hospital
from bench.radio import HEARD_BY, SECOND_US, Reads, listen

from pipeline.contracts import codec, topics
from pipeline.contracts.reads import Kind, ReadBatch

BOOT = "00000001"
START_US = 1_700_000_000_000_000
"""Event time of recorded loads: a whole number of 10 s, in the past."""
TAIL_US = 5_000_000
"""The last, empty batches promise this much more, which closes every window."""
CACHE = Path(tempfile.gettempdir()) / "biotrakr-benchmarks"
"""Grows to some gigabytes; the report removes it when it is done."""
FORMAT = 4
"""Of the files in the cache."""
INDEX = np.dtype(
    [("offset", "u8"), ("size", "u4"), ("topic", "u4"), ("ready_us", "i8"), ("reads", "u4")]
)
"""`ready_us`: when a gateway sends the message, in event time. Sorted by it."""


@dataclass(frozen=True)
class Load:
    """`reads_a_message` is aimed at: a gateway sends what it heard in `flush_s`, cut evenly."""

    buildings: int = 20
    tags: int = 5000
    seconds: int = 60
    moving: float = 0.1
    reads_a_message: int = 500
    flush_s: float = 1.0
    noise_db: float = 1.0
    seed: int = 1
    start_us: int = START_US

    @property
    def reads_a_second(self) -> int:
        return self.buildings * self.tags * HEARD_BY

    def changed(self, **changes: object) -> Load:
        return replace(self, **changes)  # type: ignore[arg-type]


class Recorded:
    """The messages of a load, in the order of sending."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        told = json.loads((directory / "load.json").read_text())
        self.load = Load(**told["load"])
        self.topics: list[str] = told["topics"]
        self.index: np.ndarray = np.load(directory / "index.npy")
        with (directory / "payloads").open("rb") as file:
            self._payloads = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def share(self, part: int, parts: int) -> Recorded:
        """The messages of every so-manieth building, as a process of a shard gets them."""
        mine = Recorded(self.directory)
        mine.index = self.index[self.index["topic"] // hospital.GATEWAYS % parts == part]
        return mine

    def __len__(self) -> int:
        return len(self.index)

    def messages(self, first: int, last: int) -> Iterator[tuple[str, bytes, int]]:
        """Topic, payload and moment of sending (us) of messages [first, last)."""
        for offset, size, topic, ready_us, _ in self.index[first:last].tolist():
            yield self.topics[topic], self._payloads[offset : offset + size], ready_us

    def first_after(self, event_s: float) -> int:
        """Number of the first message that is sent `event_s` after the start or later."""
        return int(np.searchsorted(self.index["ready_us"], self.load.start_us + event_s * 1e6))

    def reads(self, first: int = 0, last: int | None = None) -> int:
        return int(self.index["reads"][first:last].sum())

    @property
    def mean_reads_a_message(self) -> float:
        reads = self.index["reads"]
        return float(reads[reads > 0].mean())


def prepare(load: Load, cache: Path | None = None) -> Recorded:
    """The recorded load; `cache` None: CACHE."""
    cache = cache or CACHE
    # A batch of another version of the contract may be refused.
    version = {"format": FORMAT, "schema": ReadBatch.model_json_schema()}
    named = json.dumps(asdict(load) | version, sort_keys=True)
    directory = cache / hashlib.sha256(named.encode()).hexdigest()[:16]
    if not directory.exists():
        cache.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=cache))
        _write(load, draft)
        try:
            draft.rename(directory)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return Recorded(directory)


def _write(load: Load, directory: Path) -> None:
    names = [
        topics.gateway(hospital.ORGANIZATION, hospital.facility(b), hospital.gateway(g), "reads")
        for b in range(load.buildings)
        for g in range(hospital.GATEWAYS)
    ]
    made = [m for b in range(load.buildings) for m in _building(load, b)]
    made.sort(key=lambda message: message[:2])
    index = np.zeros(len(made), dtype=INDEX)
    with (directory / "payloads").open("wb") as file:
        for row, (ready_us, topic, payload, reads) in enumerate(made):
            index[row] = file.tell(), len(payload), topic, ready_us, reads
            file.write(payload)
    np.save(directory / "index.npy", index)
    told = {"load": asdict(load), "topics": names}
    (directory / "load.json").write_text(json.dumps(told))


def _building(load: Load, building: int) -> Iterator[tuple[int, int, bytes, int]]:
    rng = np.random.default_rng([load.seed, building])
    moving = round(load.moving * load.tags)
    reads = listen(rng, load.tags, moving, load.seconds, load.noise_db)
    names = np.array([hospital.tag(building, k) for k in range(load.tags)], dtype=object)
    bounds = np.searchsorted(reads.gateway, np.arange(hospital.GATEWAYS + 1)).tolist()
    for g in range(hospital.GATEWAYS):
        own = Reads(*(column[bounds[g] : bounds[g + 1]] for column in vars(reads).values()))
        topic = building * hospital.GATEWAYS + g
        for sequence, (ready_us, until_us, part) in enumerate(_cuts(load, g, own), 1):
            payload = _encode(load, g, sequence, until_us, own, part, names)
            yield ready_us + load.start_us, topic, payload, part.stop - part.start


def _cuts(load: Load, gateway: int, own: Reads) -> Iterator[tuple[int, int, slice]]:
    """(sent, promise, reads) of each message; times after the start. Gateways do not beat in time:
    each cuts at a phase of its own."""
    flush_us = round(load.flush_s * SECOND_US)
    end_us = load.seconds * SECOND_US
    phase_us = flush_us * gateway // hospital.GATEWAYS
    ends = np.arange(phase_us, end_us + flush_us, flush_us)[1 if phase_us == 0 else 0 :]
    stops = np.searchsorted(own.time_us, ends).tolist()
    begin = 0
    for end, stop in zip(ends.tolist(), stops, strict=True):
        pieces = max(1, round((stop - begin) / load.reads_a_message))
        edges = [begin + (stop - begin) * k // pieces for k in range(pieces + 1)]
        for k in range(pieces):
            last = k == pieces - 1
            # What follows in this flush is not older than its first read.
            until = end if last else int(own.time_us[edges[k + 1]])
            sent = end if last else until
            yield sent, until, slice(edges[k], edges[k + 1])
        begin = stop
    # After every other message, whatever the gateway's phase.
    yield end_us + 2 * flush_us, end_us + TAIL_US, slice(begin, begin)


def _encode(
    load: Load,
    gateway: int,
    sequence: int,
    until_us: int,
    own: Reads,
    part: slice,
    names: np.ndarray,
) -> bytes:
    distinct, tag_index = np.unique(own.tag[part], return_inverse=True)
    time_us = own.time_us[part]
    first_us = int(time_us[0]) if len(time_us) else until_us
    cdbm = (own.rssi_dbm[part] * 100).astype("<i2").tobytes()
    count = len(time_us)
    batch = {
        "gateway": hospital.gateway(gateway),
        "boot": BOOT,
        "sequence": sequence,
        "until_us": until_us + load.start_us,
        "clock": {"synchronised": True},
        "start_us": first_us + load.start_us,
        "tags": names[distinct].tolist(),
        "receivers": [hospital.RECEIVER],
        "tag_index": tag_index.astype("<u2").tobytes(),
        "receiver_index": bytes(2 * count),
        "offset_us": (time_us - first_us).astype("<u4").tobytes(),
        "rssi_cdbm": cdbm,
        "peak_cdbm": cdbm,
        "count": np.ones(count, dtype="<u2").tobytes(),
        "kind": bytes([Kind.BLE]) * count,
    }
    return codec.encode_batch(ReadBatch.model_validate(batch))
