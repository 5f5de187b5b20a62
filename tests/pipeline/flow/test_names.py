"""Whatever list of names is looked up, it is as if each had been looked up in a dictionary."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import codec
from pipeline.contracts.reads import are_tag_names
from pipeline.contracts.transport import DeadLetter
from pipeline.domain.floorplan import NOWHERE
from pipeline.flow.arrival import Arrival
from pipeline.flow.arrivals import Router
from pipeline.flow.names import Names
from pipeline.registry.directory import StaticDirectory


@pytest.fixture
def registered(synthetic):
    def make(tags):
        return Names(synthetic.building(tags=tuple(tags), tag_asset=np.arange(len(tags))))

    return make


def found(names: Names, *lists: list[str]) -> list[list[int]]:
    answers = list(names.find([(names.words(tags), tags) for tags in lists]))
    for assets, strangers in answers:
        assert strangers == np.flatnonzero(assets == NOWHERE).tolist()
    return [assets.tolist() for assets, _ in answers]


def expected(tags: list[str], asked: list[str]) -> list[int]:
    return [tags.index(tag) if tag in tags else NOWHERE for tag in asked]


def test_five_thousand_of_one_length(registered):
    tags = [f"ble:{number * 7919:012x}" for number in range(5000)]
    names = registered(tags)
    asked = [*tags[::-1], "ble:ffffffffffff"]
    assert found(names, asked, [], tags[:3]) == [[*range(4999, -1, -1), NOWHERE], [], [0, 1, 2]]


def test_names_that_find_no_place_in_the_table(registered, monkeypatch):
    """With factors of zero all names have the same two places."""
    monkeypatch.setattr("pipeline.flow.names._FACTORS", np.zeros(64, dtype=np.uint64))
    tags = [f"epc:{number}" for number in range(50)]
    assert found(registered(tags), [*tags, "epc:50"]) == [[*range(50), NOWHERE]]


def test_what_is_longer_than_every_registered_name_is_a_stranger(registered):
    tags = ["ble:123", "ble:" + "1" * 20]
    longer = ["ble:1234", "ble:" + "1" * 21, "ble:" + "1" * 120]
    for asked in (longer, longer[:1], longer[1:2], [*longer, *tags]):
        assert found(registered(tags), asked) == [expected(tags, asked)]


def test_no_tag_is_registered(registered):
    assert found(registered([]), ["ble:1"], []) == [[NOWHERE], []]


def test_a_registered_name_that_no_message_may_say_is_not_found(registered):
    assert found(registered(["ble:1", "BLE:1"]), ["BLE:1", "ble:1"]) == [[NOWHERE, 0]]


NAMES = st.text(st.sampled_from("ab:\n1"), max_size=6)


@given(st.lists(NAMES, unique=True, max_size=8), st.lists(NAMES, max_size=8))
def test_any_list(registered_by, tags, asked):
    """Also of names that are none: line feeds among them must not shift what is compared."""
    usable = {tag: i for i, tag in enumerate(tags) if are_tag_names([tag])}
    asked = [*asked, *tags]
    assert found(registered_by(tags), asked) == [[usable.get(tag, NOWHERE) for tag in asked]]


def test_line_feeds_at_the_places_where_names_would_end(registered):
    """Joined, the three look like "a:1", "\\nxx", "a:1"."""
    assert found(registered(["a:1"]), ["a:1", "", "xx\na:1"]) == [[0, NOWHERE, NOWHERE]]


@pytest.fixture(scope="module")
def registered_by(synthetic):
    return lambda tags: Names(synthetic.building(tags=tuple(tags), tag_asset=np.arange(len(tags))))


@pytest.mark.parametrize(
    "tags", [[b"ble:1"], [1], [None], ["ble:1", ["ble:1"]], ["ble:\0"], ["\ud800"]]
)
def test_what_is_no_text(registered, tags):
    with pytest.raises((TypeError, ValueError)):
        registered(["ble:1"]).words(tags)


# -- on the way through the router ---------------------------------------------------------------


@pytest.mark.parametrize(
    "tags",
    [
        [b"ble:aa01"], ["ble:aa01", ""], ["ble:aa01", "BLE:AA02"], ["ble:aa01\0"], ["ble:aa01\n"],
        ["ble:aa01", 7], [["ble:aa01"]], ["ble:aa01"] * 20_001, ["ble:zz", "no scheme"], "ble:aa01",
    ],
)  # fmt: skip
def test_a_list_with_a_wrong_name_is_refused_as_by_the_codec(feed, site, tags):
    fields = codec.encode_batch(feed.batch("gw-a", 1, 1.0, [(0.25, "ble:aa01", "r1", -60.5)]))
    payload = msgpack.packb(msgpack.unpackb(fields) | {"tags": tags})
    with pytest.raises(codec.MessageError) as refused:
        codec.decode_batch(payload)
    ((_, letter),) = Router(StaticDirectory([site])).route([feed.message(payload)])
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.detail) == (refused.value.reason, refused.value.detail)


def test_the_first_of_several_mistakes_is_told(feed, site):
    fields = codec.encode_batch(feed.batch("gw-a", 1, 1.0, [(0.25, "ble:aa01", "r1", -60.5)]))
    payload = msgpack.packb(msgpack.unpackb(fields) | {"tags": ["x"], "kind": b"\7"})
    for gateway in ("gw-a", "gw-b"):
        ((_, letter),) = Router(StaticDirectory([site])).route([feed.message(payload, gateway)])
        assert (letter.reason, letter.detail[:6]) == ("malformed", "tags.0")


def test_a_refused_message_takes_nothing_with_it(feed, site):
    good = feed.message(feed.batch("gw-a", 1, 1.0, [(0.25, "ble:aa01", "r1", -60.5)]))
    packed = msgpack.unpackb(good.payload) | {"tags": ["ble:aa02", "?"]}
    bad = feed.message(msgpack.packb(packed))
    other = feed.message(feed.batch("gw-b", 1, 1.0, [(0.5, "ble:aa05", "r1", -70)]))
    routed = Router(StaticDirectory([site])).route([good, bad, other, good])
    assert [type(item) for _, item in routed] == [Arrival, DeadLetter, Arrival, Arrival]
    assert [item.asset.tolist() for _, item in routed if isinstance(item, Arrival)] == [
        [0],
        [3],
        [0],
    ]


def test_a_new_version_of_the_building_is_looked_up_in(feed, synthetic, site):
    directory = StaticDirectory([site])
    router = Router(directory)
    sent = feed.message(feed.batch("gw-a", 1, 1.0, [(0.25, "ble:new", "r1", -60)]))
    ((_, before),) = router.route([sent])
    assert (before.asset.tolist(), before.registered) == ([NOWHERE], False)
    tags, owners = (*site.tags, "ble:new"), [*site.tag_asset, synthetic.BED]
    newer = synthetic.building(version=2, tags=tags, tag_asset=np.array(owners))
    directory._put([newer])
    ((_, after),) = router.route([sent])
    assert (after.asset.tolist(), after.registered) == ([synthetic.BED], True)
