"""What tags measure passes through the flow once, whatever becomes of the windows."""

from __future__ import annotations

from pipeline.contracts.transport import DeadLetter, Measurements
from pipeline.flow.arrivals import Router
from pipeline.flow.building_logic import BuildingFlow
from pipeline.registry.directory import StaticDirectory

WARM = (0.5, "ble:aa01", "temperature_c", 21.5)


def taken(feed, site, *batches, received_us=None):
    """Records of a flow that takes these batches, and what was refused before it."""
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    changes = {} if received_us is None else {"received_us": received_us}
    routed = Router(StaticDirectory([site])).route(feed.message(b, **changes) for b in batches)
    refused = [record for _, record in routed if isinstance(record, DeadLetter)]
    arrivals = [record for _, record in routed if not isinstance(record, DeadLetter)]
    return [r for r in flow.take(arrivals) if isinstance(r, Measurements)], refused


def test_with_reads_and_without(feed, synthetic, site):
    reads = [(0.25, "ble:aa02", "r1", -60.5)]
    with_reads = feed.batch("gw-a", 1, 1.0, reads, measured=[WARM])
    alone = feed.batch("gw-a", 2, 2.0, measured=[(1.5, "ble:zz", "battery_mv", 2980.0)])
    found, refused = taken(feed, site, with_reads, alone)
    organization = site.ids["organization"]
    assert found == [
        Measurements(organization, (("ble:aa01", "temperature_c", synthetic.us(0.5), 21.5),)),
        Measurements(organization, (("ble:zz", "battery_mv", synthetic.us(1.5), 2980.0),)),
    ]
    assert not refused


def test_the_clock_correction_counts(feed, synthetic, site):
    late = feed.batch("gw-a", 1, 1.0, measured=[WARM], correction_us=-2_000_000)
    ((found,), _) = taken(feed, site, late)
    assert found.values[0][2] == synthetic.us(0.5) - 2_000_000


def test_a_batch_that_comes_twice_says_it_once(feed, site):
    batch = feed.batch("gw-a", 1, 1.0, measured=[WARM])
    assert len(taken(feed, site, batch, batch)[0]) == 1


def test_however_late(feed, site):
    """Its window is long closed: readings have no window."""
    batches = [feed.batch(gateway, 1, 500.0) for gateway in ("gw-a", "gw-b", "gw-c")]
    late = feed.batch("gw-a", 2, 501.0, measured=[WARM])
    assert len(taken(feed, site, *batches, late)[0]) == 1


def test_a_time_that_cannot_be_is_refused_as_that_of_a_read_is(feed, synthetic, site):
    future = feed.batch("gw-a", 1, 1.0, measured=[(100.0, "ble:aa01", "temperature_c", 1.0)])
    found, (refused,) = taken(feed, site, future, received_us=synthetic.us(20))
    assert (found, refused.reason) == ([], "time_in_future")
    past = feed.batch("gw-a", 1, 1.0, measured=[(-1e9, "ble:aa01", "temperature_c", 1.0)])
    found, (refused,) = taken(feed, site, past)
    assert (found, refused.reason) == ([], "time_too_old")
