"""Whatever comes over MQTT becomes an arrival, a status report or a dead letter with a reason."""

from __future__ import annotations

import json

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import codec
from pipeline.contracts.transport import DeadLetter, GatewayMark, RawMessage, StatusReport
from pipeline.flow.arrival import NEVER_US, Arrival
from pipeline.flow.arrivals import Router
from pipeline.flow.building_logic import BuildingFlow
from pipeline.registry.directory import StaticDirectory


@pytest.fixture(scope="module")
def route(site):
    router = Router(StaticDirectory([site]))
    return lambda *messages: router.route(messages)


@pytest.fixture
def one_read(feed):
    def make(**changes):
        return feed.batch("gw-a", 1, 1.0, [(0.25, "ble:aa01", "r1", -60.5)], **changes)

    return make


def spoiled(feed, made, **changes) -> RawMessage:
    """The batch with other fields, whatever they are."""
    fields = msgpack.unpackb(codec.encode_batch(made)) | changes
    return feed.message(msgpack.packb(fields))


def test_a_batch(feed, synthetic, site, route, one_read):
    ((key, arrival),) = route(feed.message(one_read()))
    assert key == arrival.building == site.key
    assert (arrival.organization, arrival.facility, arrival.gateway) == ("acme", "north", "gw-a")
    assert (arrival.boot, arrival.sequence, arrival.oldest) == (feed.BOOT, 1, 1)
    assert arrival.until_us == synthetic.us(1)
    assert (arrival.tags, arrival.receivers) == (["ble:aa01"], ["r1"])
    assert arrival.time_us.tolist() == [synthetic.us(0.25)]
    assert arrival.rssi_cdbm.tolist() == [-6050]
    assert arrival.receptions.tolist() == [1]
    assert arrival.payload == codec.encode_batch(one_read())
    assert not arrival.reads_refused
    assert arrival.time_us.dtype == np.dtype(np.int64)
    assert (arrival.first_us, arrival.last_us) == (synthetic.us(0.25), synthetic.us(0.25))
    assert (arrival.asset.tolist(), arrival.receiver.tolist()) == ([synthetic.PUMP], [0])
    assert (arrival.registered, arrival.version) == (True, site.version)


def test_json_rows_are_the_same_batch(feed, synthetic, route):
    ((_, arrival),) = route(feed.message(feed.rows_payload()))
    assert arrival.time_us.tolist() == [synthetic.us(0)]
    assert arrival.rssi_cdbm.tolist() == [-6050]


def test_an_empty_batch_is_a_promise(feed, synthetic, route):
    ((_, arrival),) = route(feed.message(feed.batch("gw-a", 1, 5, [])))
    assert (len(arrival.time_us), arrival.until_us) == (0, synthetic.us(5))


@pytest.mark.parametrize("correction_us", [None, 0, 2_500_000, -2_500_000])
def test_the_clock_correction_is_added_to_every_time(
    feed, synthetic, route, one_read, correction_us
):
    ((_, arrival),) = route(feed.message(one_read(correction_us=correction_us)))
    shift = correction_us or 0
    assert arrival.time_us.tolist() == [synthetic.us(0.25) + shift]
    assert arrival.until_us == synthetic.us(1) + shift


def test_a_status(feed, synthetic, route):
    sent = feed.status_message("gw-b")
    assert route(sent) == [
        ("", StatusReport("acme", "north", "gw-b", True, synthetic.us(0), sent.payload))
    ]


def test_a_status_of_an_unregistered_gateway_is_a_status(feed, route):
    ((_, report),) = route(feed.status_message("gw-z"))
    assert isinstance(report, StatusReport)


def test_order_is_kept_and_nothing_is_lost(feed, route, one_read):
    messages = [feed.message(one_read()), feed.message(b"?"), feed.status_message()]
    kinds = [type(item) for _, item in route(*messages, *messages)]
    assert kinds == [Arrival, DeadLetter, StatusReport] * 2


# -- dead letters --------------------------------------------------------------------------------


def dead(routed) -> tuple[str, str]:
    ((key, letter),) = routed
    assert key == ""
    assert isinstance(letter, DeadLetter)
    return letter.reason, letter.detail


TOPIC = "biotrakr/v1/acme/north/gateways/gw-a/"


@pytest.mark.parametrize(
    "topic",
    [
        "", "/", "biotrakr/v1", TOPIC + "ack", TOPIC + "reads/more", TOPIC + "nothing",
        TOPIC.replace("v1", "v2") + "reads", TOPIC.replace("acme", "Acme") + "reads",
        TOPIC.replace("gw-a", "") + "reads", TOPIC.replace("gw-a", "gw a") + "reads",
        TOPIC.replace("gateways", "assets") + "reads", "\x00/" * 6, "x" * 9999,
    ],
)  # fmt: skip
def test_wrong_topic(feed, route, one_read, topic):
    reason, _ = dead(route(feed.message(one_read(), topic=topic)))
    assert reason == "wrong_topic"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"\xc1", "malformed"),
        (b"\x81" * 3000, "malformed"),
        (b"hello", "malformed"),
        (b"\x93\x01\x02\x03", "malformed"),
        (b"\x80", "wrong_version"),
        (msgpack.packb({"schema_version": 2}), "wrong_version"),
        (msgpack.packb({"schema_version": "1" * 999}), "wrong_version"),
        (b"{", "malformed"),
        (b"{}", "malformed"),
        (b'{"a":' * 5000, "malformed"),
        (b"{\xff}", "malformed"),
        (b"\x00" * (1 << 20) + b"\x00", "too_large"),
    ],
    ids=[
        "empty", "reserved byte", "deep MessagePack", "text", "a list", "an empty map",
        "version 2", "long version", "half JSON", "no fields", "deep JSON", "not UTF-8",
        "too large",
    ],
)  # fmt: skip
def test_payloads_that_are_no_batch(feed, route, payload, reason):
    """The texts are the contracts' own; here it matters that there is a reason and a text."""
    found = dead(route(feed.message(payload)))
    assert found[0] == reason
    assert found[1]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"sequence": 0}, "sequence"),
        ({"sequence": 2**63}, "sequence"),
        ({"oldest": 2}, "oldest"),
        ({"boot": "x"}, "boot"),
        ({"gateway": "GW"}, "gateway"),
        ({"until_us": "soon"}, "until_us"),
        ({"until_us": 2**63}, "until_us"),
        ({"start_us": -(2**63)}, "start_us"),
        ({"clock": {"synchronised": True, "correction_us": 10**14}}, "clock.correction_us"),
        ({"tags": ["no scheme"]}, "tags.0"),
        ({"receivers": ["?"]}, "receivers.0"),
        ({"kind": b""}, "tag_index"),
        ({"count": b"\x01"}, "count"),
        ({"more": 1}, "more"),
        ({"tags": []}, "points past the end"),
        ({"receivers": []}, "points past the end"),
        ({"tag_index": b"\x01\x00"}, "points past the end"),
        ({"receiver_index": b"\xff\xff"}, "points past the end"),
    ],
)
def test_fields_that_cannot_be(feed, route, one_read, changes, detail):
    reason, found = dead(route(spoiled(feed, one_read(), **changes)))
    assert reason == "malformed"
    assert detail in found


@pytest.mark.parametrize("rssi", [float("nan"), float("inf"), 1e9, "loud"])
def test_json_numbers_that_cannot_be(feed, route, rssi):
    read = {"tag": "ble:aa01", "receiver": "r1", "at": "2023-11-14T22:13:20Z", "rssi_dbm": rssi}
    assert dead(route(feed.message(feed.rows_payload(reads=[read]))))[0] == "malformed"


def test_more_receivers_than_a_gateway_can_have(feed, route):
    """Each row is fine, the batch they make is not."""
    rows = [
        {"tag": "ble:aa01", "receiver": f"r{i}", "at": "2023-11-14T22:13:20Z"} for i in range(5000)
    ]
    reason, detail = dead(route(feed.message(feed.rows_payload(reads=rows))))
    assert reason == "malformed"
    assert "receivers" in detail


def test_rows_that_span_more_than_the_format_can_say(feed, route):
    at = ["2023-11-14T20:00:00Z", "2023-11-14T22:13:20Z"]
    rows = [{"tag": "ble:aa01", "receiver": "r1", "at": when} for when in at]
    reason, detail = dead(route(feed.message(feed.rows_payload(reads=rows))))
    assert reason == "malformed"
    assert "71 minutes" in detail


def test_a_batch_under_another_gateways_topic(feed, route, one_read):
    whole = feed.message(codec.encode_batch(one_read()), gateway="gw-b")
    assert dead(route(whole)) == ("wrong_gateway", "the batch says it is from 'gw-a'")


def test_a_status_under_another_gateways_topic(feed, route):
    whole = feed.message(feed.status_message("gw-a").payload, "gw-b", "status")
    assert dead(route(whole))[0] == "wrong_gateway"


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", b'{"schema_version": 2}'])
def test_a_status_that_is_none(feed, route, payload):
    assert dead(route(feed.message(payload, channel="status")))[0] in {"malformed", "wrong_version"}


def test_an_unregistered_gateway(feed, route):
    made = feed.batch("gw-z", 1, 1.0)
    assert dead(route(feed.message(made))) == (
        "unknown_gateway", "'gw-z' is not registered; register it",
    )  # fmt: skip


def test_a_dead_letter_keeps_what_people_need(feed, route):
    ((_, letter),) = route(feed.message(b"x" * 5000))
    assert (letter.topic, letter.size, len(letter.payload)) == (TOPIC + "reads", 5000, 4096)
    assert letter.received_us == feed.RECEIVED_US
    assert len(letter.sha256) == 32
    ((_, letter),) = route(feed.message(b"", topic="x" * 9999))
    assert len(letter.topic) <= 500 and len(letter.detail) <= 500


# -- times ---------------------------------------------------------------------------------------

YEAR_1970_US, YEAR_2100_US = 60_000_000, 4_102_444_800_000_000


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"start_us": YEAR_1970_US}, "time_too_old", "times before 2015"),
        ({"start_us": YEAR_2100_US}, "time_in_future", "s ahead; set the gateway's clock"),
        ({"until_us": YEAR_2100_US}, "time_in_future", "s ahead; set the gateway's clock"),
        ({"start_us": 2**62}, "time_in_future", "s ahead"),
        ({"start_us": -(2**62)}, "time_too_old", "times before 2015"),
    ],
    ids=["1970", "2100", "a promise in 2100", "the largest", "the smallest"],
)
def test_a_clock_that_is_wrong_loses_the_reads_but_not_the_sequence(
    feed, site, route, one_read, changes, reason, detail
):
    """The reads are dead-lettered; the batch still counts, so that its gateway is not stuck."""
    (_, letter), (key, arrival) = route(spoiled(feed, one_read(), **changes))
    assert letter.reason == reason
    assert detail in letter.detail
    assert key == site.key
    assert (arrival.sequence, arrival.reads_refused, arrival.until_us) == (1, True, NEVER_US)
    assert (len(arrival.time_us), arrival.tags, arrival.payload) == (0, [], b"")


def test_a_little_ahead_is_no_wrong_clock(feed, synthetic, route, one_read):
    early = synthetic.us(1) - 9_000_000
    ((_, arrival),) = route(feed.message(one_read(), received_us=early))
    assert not arrival.reads_refused
    (_, letter), _ = route(feed.message(one_read(), received_us=early - 2_000_000))
    assert letter.reason == "time_in_future"


def test_a_wrong_clock_that_is_corrected_is_right(feed, synthetic, route, one_read):
    """Ninety days ahead, and known to be."""
    off = 90 * 86_400_000_000
    wrong = spoiled(
        feed, one_read(correction_us=-off),
        start_us=synthetic.us(0.25) + off, until_us=synthetic.us(1) + off,
    )  # fmt: skip
    ((_, arrival),) = route(wrong)
    assert arrival.time_us.tolist() == [synthetic.us(0.25)]
    assert arrival.until_us == synthetic.us(1)


def test_an_unset_promise_is_none(feed, route):
    """A gateway that has not set its clock yet promises nothing and may still be heard."""
    made = feed.batch("gw-a", 1, 1.0)
    ((_, arrival),) = route(spoiled(feed, made, until_us=0, start_us=0))
    assert (arrival.until_us, arrival.reads_refused) == (NEVER_US, False)


def test_a_batch_whose_reads_are_refused_counts_for_deduplication(feed, site, route, one_read):
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    _, (_, refused) = route(spoiled(feed, one_read(), start_us=YEAR_1970_US))
    (mark,) = [r for r in flow.take([refused]) if isinstance(r, GatewayMark)]
    assert (mark.sequence, mark.until_us) == (1, NEVER_US)
    assert flow.open_windows == 0
    flow.take([refused])
    assert flow.memory.duplicates == 1


# -- nothing raises ------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = [
    "schema_version", "gateway", "boot", "sequence", "oldest", "until_us", "start_us", "clock",
    "tags", "receivers", "tag_index", "receiver_index", "offset_us", "rssi_cdbm", "peak_cdbm",
    "count", "kind", "reads",
]  # fmt: skip


def test_one_changed_field_never_raises(feed, route, one_read):
    whole = msgpack.unpackb(codec.encode_batch(one_read()))
    rows = json.loads(feed.rows_payload())

    @given(
        st.sampled_from(FIELDS), json_values | st.binary(max_size=8) | st.integers(-(2**62), 2**62)
    )
    def check(name, value):
        try:
            packed = msgpack.packb(whole | {name: value})
        except (OverflowError, UnicodeEncodeError, ValueError):
            packed = b""
        payloads = [packed]
        if not isinstance(value, bytes):
            payloads.append(json.dumps(rows | {name: value}).encode(errors="surrogatepass"))
        for payload in payloads:
            for _, item in route(feed.message(payload)):
                assert isinstance(item, Arrival | DeadLetter)

    check()


@given(st.binary(max_size=60), st.text(max_size=40))
def test_noise_never_raises(feed, route, payload, topic):
    for message in (feed.message(payload), feed.message(payload, topic=topic)):
        assert dead(route(message))[0]
    assert dead(route(feed.message(payload, channel="status")))[0]
