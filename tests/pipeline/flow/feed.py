"""Messages of the synthetic building's gateways, and a seeded scenario of several minutes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import biotrakr_test_synthetic as synthetic
import numpy as np

from pipeline.contracts import codec, topics
from pipeline.contracts.messages import GatewayStatus
from pipeline.contracts.reads import ClockState, ReadBatch
from pipeline.contracts.transport import RawMessage
from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import BLE, Building
from pipeline.domain.policy import Policy
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Router
from pipeline.flow.event_time import Timing
from pipeline.registry.directory import StaticDirectory

BOOT = "00000001"
RECEIVED_US = synthetic.us(3600)
"""When messages are received, unless said otherwise: later than everything in them."""

QUICK = Policy(departed_after_s=8.0, unknown_after_s=15.0, use_dwell_s=4.0)
"""Time-outs that a scenario of a minute or two reaches."""
TIMING = Timing(window_s=1.0, allowed_lateness_s=0.5, gateway_timeout_s=30.0, tick_s=5.0)

Heard = tuple[float, str, str, float | None]
"""Second, tag, receiver, RSSI in dBm."""


def batch(
    gateway: str,
    sequence: int,
    until_s: float,
    reads: Iterable[Heard] = (),
    *,
    boot: str = BOOT,
    oldest: int = 1,
    correction_us: int | None = None,
    measured: Iterable[tuple[float, str, str, float]] = (),
) -> ReadBatch:
    """A batch whose times are scenario seconds; `measured`: second, tag, quantity, value."""
    seconds, tags, receivers, rssi = zip(*reads, strict=True) if reads else ((), (), (), ())
    cdbm = [synthetic.NO_RSSI if dbm is None else round(dbm * 100) for dbm in rssi]
    envelope = {
        "gateway": gateway,
        "boot": boot,
        "sequence": sequence,
        "oldest": oldest,
        "until_us": synthetic.us(until_s),
        "clock": ClockState(synchronised=True, correction_us=correction_us),
    }
    return codec.build_batch(
        envelope,
        tags=tags,
        receivers=receivers,
        time_us=[synthetic.us(second) for second in seconds],
        rssi_cdbm=cdbm,
        peak_cdbm=cdbm,
        count=[1] * len(tags),
        kind=[BLE] * len(tags),
        sensors=[
            codec.Measured(tag, quantity, synthetic.us(second), value)
            for second, tag, quantity, value in measured
        ],
    )


def message(
    payload: ReadBatch | bytes, gateway: str = "gw-a", channel: str = "reads", **changes: Any
) -> RawMessage:
    """A message on the gateway's topic; a batch knows its gateway."""
    if isinstance(payload, ReadBatch):
        gateway, payload = payload.gateway, codec.encode_batch(payload)
    topic = topics.gateway("acme", "north", gateway, channel)
    return RawMessage(**{"topic": topic, "payload": payload, "received_us": RECEIVED_US} | changes)


def status_message(gateway: str = "gw-a", **changes: Any) -> RawMessage:
    at = datetime.fromtimestamp(synthetic.T0_S, UTC)
    status = GatewayStatus(
        gateway=gateway, state="online", version="1", boot=BOOT, at=at, started_at=at,
        clock=ClockState(synchronised=True), **changes,
    )  # fmt: skip
    return message(codec.encode_json(status), gateway, "status")


def rows_payload(**changes: Any) -> bytes:
    """A batch in its JSON form, with one read."""
    read = {"tag": "ble:aa01", "receiver": "r1", "at": "2023-11-14T22:13:20Z", "rssi_dbm": -60.5}
    whole = {
        "schema_version": 1, "gateway": "gw-a", "boot": BOOT, "sequence": 1,
        "until_us": synthetic.us(1), "clock": {"synchronised": True}, "reads": [read],
    }  # fmt: skip
    return json.dumps(whole | changes).encode()


def arrival(site: Building, made: ReadBatch) -> Arrival:
    ((_, routed),) = Router(StaticDirectory([site])).route([message(made)])
    assert isinstance(routed, Arrival)
    return routed


# -- a scenario ----------------------------------------------------------------------------------


@dataclass
class Sender:
    """One gateway: cuts what it hears into batches of a few seconds."""

    name: str
    sequence: int = 0
    boot: str = BOOT
    sent_s: float = 0.0
    batches: list[ReadBatch] = field(default_factory=list)

    def send(self, until_s: float, reads: list[Heard]) -> None:
        self.sequence += 1
        made = batch(self.name, self.sequence, until_s, reads, boot=self.boot)
        self.batches.append(made)
        self.sent_s = until_s

    def restart(self) -> None:
        self.boot, self.sequence = f"{int(self.boot, 16) + 1:08x}", 0


PLACES = [(5, 3, 0), (15, 3, 0), (3, 7, 0), (17, 7, 0), (5, 3, 1), (15, 3, 1), (12, 6, 0)]


def scenario(seed: int, site: Building, seconds: int = 60) -> dict[str, list[ReadBatch]]:
    """What three gateways send while four assets walk about, fall silent and come back.

    Strangers are heard too, a gateway restarts, doors read tags, and at the end nothing is heard
    for long enough that everything times out.
    """
    rng = np.random.default_rng(seed)
    senders = {name: Sender(name) for name in site.gateways}
    pending: dict[str, list[Heard]] = {name: [] for name in senders}
    cut_s = {name: float(rng.uniform(1, 4)) for name in senders}
    place = [PLACES[int(rng.integers(len(PLACES)))] for _ in site.assets]
    silent_until = [0.0] * len(site.assets)
    for second in range(seconds):
        for asset in range(len(site.assets)):
            if rng.random() < 0.08:
                place[asset] = PLACES[int(rng.integers(len(PLACES)))]
            if rng.random() < 0.03:
                silent_until[asset] = second + float(rng.choice([3.0, 12.0, 22.0]))
            if second >= silent_until[asset]:
                for gateway, heard in _hear(rng, site, asset, place[asset], second):
                    pending[gateway].append(heard)
        for name, sender in senders.items():
            if second + 1 >= cut_s[name]:
                rng.shuffle(pending[name])
                sender.send(second + 1, [tuple(h) for h in pending[name]])
                pending[name] = []
                cut_s[name] = second + 1 + float(rng.uniform(1, 4))
                if rng.random() < 0.03:
                    sender.restart()
    for name, sender in senders.items():
        sender.send(seconds + 1, pending[name])
        for quiet_s in range(seconds + 5, seconds + 41, 4):
            sender.send(quiet_s, [])
    return {name: sender.batches for name, sender in senders.items()}


def _hear(
    rng: np.random.Generator, site: Building, asset: int, place: tuple[int, int, int], second: int
) -> Iterator[tuple[str, Heard]]:
    tags = [tag for tag, owner in zip(site.tags, site.tag_asset, strict=True) if owner == asset]
    for r, (gateway, name) in enumerate(site.receivers.names):
        at_s = second + float(rng.integers(0, 1_000_000)) / 1e6
        if site.receivers.kind[r] != BLE:
            if place == (12, 6, int(site.receivers.floor[r])):
                yield gateway, (at_s, tags[-1], name, None)
        elif rng.random() < 0.8:
            noise = float(rng.normal(0, 3))
            dbm = synthetic.rssi_dbm(site, r, *place) + noise
            yield gateway, (at_s, str(rng.choice(tags)), name, round(dbm, 2))
    if rng.random() < 0.1:
        yield "gw-a", (second + 0.5, f"ble:stranger{rng.integers(3)}", "r1", -80.0)


def in_order(sent: dict[str, list[ReadBatch]]) -> list[ReadBatch]:
    """All batches by the time of their promise: as if the network were perfect."""
    return sorted((b for batches in sent.values() for b in batches), key=lambda b: b.until_us)


def interleaved(
    sent: dict[str, list[ReadBatch]], rng: np.random.Generator, limit_s: float
) -> list[ReadBatch]:
    """Another order: each gateway's own is kept, and none runs ahead by more than `limit_s`."""
    queues = {name: list(batches) for name, batches in sent.items()}
    arrived: dict[str, list[ReadBatch]] = {name: [] for name in queues}
    order = []
    while any(queues.values()):
        slowest = min(promise_us(arrived[name]) for name in queues if queues[name])
        ahead_us = {
            name: promise_us([*arrived[name], queue[0]]) - slowest
            for name, queue in queues.items() if queue
        }  # fmt: skip
        ready = [name for name, us in ahead_us.items() if us <= limit_s * synthetic.SECOND]
        name = ready[int(rng.integers(len(ready)))]
        arrived[name].append(queues[name].pop(0))
        order.append(arrived[name][-1])
    return order


def promise_us(arrived: list[ReadBatch]) -> int:
    """What a gateway has promised with these batches: each boot's as far as there is no gap."""
    promised = synthetic.us(0)
    for boot in {b.boot for b in arrived}:
        until_us = {b.sequence: b.until_us for b in arrived if b.boot == boot}
        sequence = 1
        while sequence in until_us:
            promised = max(promised, until_us[sequence])
            sequence += 1
    return promised


def shuffled_nearby(batches: list[ReadBatch], rng: np.random.Generator) -> list[ReadBatch]:
    """Neighbours of one boot change places, two or three at a time."""
    result, at = [], 0
    while at < len(batches):
        size = int(rng.integers(1, 4))
        block = [b for b in batches[at : at + size] if b.boot == batches[at].boot]
        result += [block[i] for i in rng.permutation(len(block))]
        at += len(block)
    return result


# -- what a run says -----------------------------------------------------------------------------


def told(records: Iterable[object]) -> list[tuple[object, ...]]:
    """Everything that closed windows say, positions to the last bit; no counters."""
    closed = [record for record in records if isinstance(record, ClosedWindow)]
    return [
        (
            c.result.start_us,
            c.result.end_us,
            c.result.reads,
            c.result.solved,
            {f.name: getattr(c.result.positions, f.name).tobytes() for f in
             fields(c.result.positions)},
            c.result.room_visits,
            c.result.zone_visits,
            c.result.sessions,
            c.result.alerts,
        )
        for c in closed
    ]  # fmt: skip
