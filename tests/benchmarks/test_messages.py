"""What a message costs on its way from bytes to arrays of assets, beside np.frombuffer alone.

    python -m pytest -m benchmark tests/benchmarks/test_messages.py

20 buildings of 5,000 tags and 40 gateways; a message holds distinct tags, one receiver, in the
order they were heard, so no two messages of a gateway have the same list. CPU time, median of 5.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from uuid import UUID

import msgpack
import numpy as np
import pytest

from pipeline.contracts import codec
from pipeline.contracts.reads import COLUMNS, ClockState, Kind
from pipeline.contracts.transport import RawMessage
from pipeline.domain.floorplan import BLE, NOWHERE, Asset, Building, Receivers
from pipeline.domain.policy import Policy
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Router
from pipeline.flow.building_logic import BuildingFlow
from pipeline.flow.event_time import Timing
from pipeline.registry.directory import StaticDirectory

BUILDINGS, TAGS, GATEWAYS, ROUNDS = 20, 5000, 40, 5
NOW_US = 1_700_000_000_000_000


def building(number: int, dice: random.Random) -> Building:
    names = [f"ble:{dice.getrandbits(48):012x}" for _ in range(TAGS)]
    gateways = tuple(f"g{i:02d}" for i in range(GATEWAYS))
    zeros = np.zeros(GATEWAYS)
    receivers = Receivers(
        tuple(UUID(int=i) for i in range(GATEWAYS)),
        tuple((gateway, "ble0") for gateway in gateways),
        np.zeros((GATEWAYS, 3)),
        zeros.astype(np.int64),
        np.full(GATEWAYS, NOWHERE),
        np.full(GATEWAYS, BLE),
        *(zeros for _ in range(4)),
    )
    assets = tuple(Asset(UUID(int=i), str(i), "", "") for i in range(TAGS))
    return Building(
        key=f"bench/h{number:02d}/main", organization="bench", facility=f"h{number:02d}",
        code="main", ids={}, floors=(), rooms=(), zones=(), rules=(), receivers=receivers,
        gateways=gateways, assets=assets, tags=tuple(names), tag_asset=np.arange(TAGS),
    )  # fmt: skip


def messages(site: Building, reads: int, dice: random.Random) -> list[RawMessage]:
    """One second: 20,000 reads of a building, each gateway those of its own 500 tags."""
    made = []
    for number, gateway in enumerate(site.gateways):
        near = [site.tags[(number * 125 + i) % TAGS] for i in range(500)]
        dice.shuffle(near)
        for at in range(0, len(near), reads):
            tags = near[at : at + reads]
            count = len(tags)
            batch = codec.build_batch(
                {"gateway": gateway, "boot": "00000001", "sequence": at // reads + 1,
                 "until_us": NOW_US + 1_000_000, "clock": ClockState(synchronised=True)},
                tags=tags, receivers=["ble0"] * count, kind=[Kind.BLE] * count,
                time_us=[NOW_US + dice.randrange(1_000_000) for _ in tags],
                rssi_cdbm=[-6000] * count, peak_cdbm=[-6000] * count, count=[3] * count,
            )  # fmt: skip
            topic = f"biotrakr/v1/bench/{site.facility}/gateways/{gateway}/reads"
            made.append(RawMessage(topic, codec.encode_batch(batch), NOW_US + 2_000_000))
    return made


def measured(count: int, work: Callable[[], object]) -> float:
    """Median CPU time in us of each of `count` things that `work` does."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) / count * 1e6)
    return median(taken)


@pytest.mark.benchmark
@pytest.mark.parametrize("reads", [500, 50])
def test_a_message(reads: int, capsys: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(1)
    sites = [building(number, dice) for number in range(BUILDINGS)]
    sent = [message for site in sites for message in messages(site, reads, dice)]
    dice.shuffle(sent)
    columns = [msgpack.unpackb(message.payload) for message in sent]
    directory, timing = StaticDirectory(sites), Timing(checkpoint_s=0)
    router = Router(directory)

    def bare() -> None:
        for fields in columns:
            for name, code in COLUMNS.items():
                np.frombuffer(fields[name], f"<{code}")

    def unpack() -> None:
        for message in sent:
            msgpack.unpackb(message.payload)

    def decode() -> None:
        for message in sent:
            codec.decode_batch(message.payload)

    def route() -> None:
        for at in range(0, len(sent), 500):  # as many as the source hands out at once
            router.route(sent[at : at + 500])

    def file() -> None:
        flows = {site.key: BuildingFlow(site, timing, Policy()) for site in sites}
        for at in range(0, len(sent), 500):
            arrivals: dict[str, list[Arrival]] = {}
            for key, arrival in router.route(sent[at : at + 500]):
                arrivals.setdefault(key, []).append(replace(arrival, until_us=-(2**62)))
            for key, batch in arrivals.items():
                flows[key].take(batch)
        assert {flow.open_windows for flow in flows.values()} == {1}

    rows = [
        ("np.frombuffer of the columns", bare),
        ("MessagePack unpacked", unpack),
        ("decoded and checked, every name", decode),
        ("decoded, checked, routed, resolved", route),
        ("the same, deduplicated and in its window", file),
    ]
    taken = [(name, measured(len(sent), work)) for name, work in rows]
    with capsys.disabled():
        print(
            f"\n{reads} reads a message, {len(sent)} messages     us a message   us a read  x bare"
        )
        for name, us in taken:
            print(f"  {name:42s}{us:10.1f}{us / reads:13.3f}{us / taken[0][1]:8.1f}")
