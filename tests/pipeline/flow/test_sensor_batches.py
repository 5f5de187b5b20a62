"""A batch that also carries what tags measured is the same batch to the flow of today."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.contracts.codec import Measured, build_batch, encode_batch
from pipeline.flow.arrivals import Router
from pipeline.registry.directory import StaticDirectory


@pytest.fixture(scope="module")
def route(site):
    router = Router(StaticDirectory([site]))
    return lambda *messages: router.route(messages)


def with_sensors(feed, synthetic, made):
    """The same reads, and values of their tag before and after them, and of a stranger."""
    sensors = [
        Measured(tag, quantity, synthetic.us(second), 21.5)
        for tag, quantity, second in (
            ("ble:aa01", "temperature_c", 0.125),
            ("ble:aa01", "humidity_percent", 0.5),
            ("ble:ffff", "temperature_c", 0.75),
        )
    ]
    envelope = {
        name: value
        for name, value in vars(made).items()
        if name in ("gateway", "boot", "sequence", "oldest", "until_us", "clock")
    }
    return build_batch(
        envelope,
        tags=["ble:aa01"],
        receivers=["r1"],
        time_us=[synthetic.us(0.25)],
        rssi_cdbm=[-6050],
        peak_cdbm=[-6050],
        count=[1],
        kind=[1],
        sensors=sensors,
    )


def test_the_reads_are_what_they_would_be_without(feed, synthetic, route):
    plain = feed.batch("gw-a", 1, 1.0, [(0.25, "ble:aa01", "r1", -60.5)])
    carrying = with_sensors(feed, synthetic, plain)
    ((key, before),), ((same_key, after),) = (
        route(feed.message(plain)),
        route(feed.message(carrying)),
    )
    assert key == same_key
    for name in ("time_us", "rssi_cdbm", "receptions", "asset", "receiver"):
        assert getattr(after, name).tolist() == getattr(before, name).tolist()
    for name in ("sequence", "until_us", "first_us", "last_us", "receivers"):
        assert getattr(after, name) == getattr(before, name)
    assert after.payload == encode_batch(carrying) and not after.reads_refused


def test_values_alone_are_a_promise(feed, synthetic, route):
    plain = feed.batch("gw-a", 1, 5, [])
    made = build_batch(
        {n: getattr(plain, n) for n in ("gateway", "boot", "sequence", "until_us", "clock")},
        tags=[], receivers=[], time_us=[], rssi_cdbm=[], peak_cdbm=[], count=[], kind=[],
        sensors=[Measured("ble:aa01", "temperature_c", synthetic.us(4), 21.5)],
    )  # fmt: skip
    ((_, arrival),) = route(feed.message(made))
    assert (len(arrival.time_us), arrival.until_us) == (0, synthetic.us(5))


def test_rows_may_carry_them_too(feed, synthetic, route):
    value = {
        "tag": "ble:aa01",
        "quantity": "temperature_c",
        "at": datetime.fromtimestamp(synthetic.T0_S, UTC).isoformat(),
        "value": 21.5,
    }
    ((_, arrival),) = route(feed.message(feed.rows_payload(sensors=[value])))
    assert arrival.time_us.tolist() == [synthetic.us(0)]
