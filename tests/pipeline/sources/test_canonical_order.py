"""One canonical order: the same messages, however they were interleaved, repeated or cut."""

from __future__ import annotations

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.transport import RawMessage
from pipeline.domain.floorplan import Building
from pipeline.flow import arrival as flow_arrival
from pipeline.flow.dataflow import build
from pipeline.registry.directory import StaticDirectory
from pipeline.sinks.null import NullSink, Tally
from pipeline.sources import envelope
from pipeline.sources.capture_feed import CaptureFeed
from pipeline.sources.capture_file import CaptureWriter, Header
from pipeline.sources.markers import Drain
from pipeline.sources.replay import Progress, ReplaySource

some = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def synthetic() -> ModuleType:
    here = Path(__file__).parents[1]
    return _load(here / "domain" / "synthetic.py", "biotrakr_test_synthetic")


@pytest.fixture(scope="module")
def feed(synthetic: ModuleType) -> ModuleType:
    return _load(Path(__file__).parents[1] / "flow" / "feed.py", "biotrakr_test_feed")


@pytest.fixture(scope="module")
def site(synthetic: ModuleType) -> Building:
    return synthetic.building()


@pytest.fixture(scope="module")
def sent(feed: ModuleType, site: Building) -> dict[str, list[RawMessage]]:
    """Gateway -> what it sent, in its order: batches, a status and something unreadable."""
    batches = feed.scenario(5, site, seconds=40)
    messages = {name: [feed.message(b) for b in made] for name, made in batches.items()}
    messages["gw-a"][3:3] = [feed.message(b"\xc1", "gw-a"), feed.status_message("gw-a")]
    messages["gw-b"][4:4] = [feed.message(b"{}", "gw-b")]
    messages["stranger"] = [feed.message(feed.batch("stranger", 1, 9.0))]
    return messages


def interleave(
    sent: dict[str, list[RawMessage]], rng: np.random.Generator, repeats: bool, nearby: bool
) -> list[RawMessage]:
    """Any order that keeps each gateway's own, with repeats of what was sent before and, if
    `nearby`, neighbours of one gateway exchanged."""
    queues = {name: list(messages) for name, messages in sent.items()}
    if nearby:
        for queue in queues.values():
            for i in range(0, len(queue) - 1, 3):
                queue[i], queue[i + 1] = queue[i + 1], queue[i]
    order: list[RawMessage] = []
    while any(queues.values()):
        name = str(rng.choice([n for n, queue in queues.items() if queue]))
        taken = int(rng.integers(1, 12))
        order += queues[name][:taken]
        del queues[name][:taken]
        if repeats and rng.random() < 0.3:
            order += [order[int(i)] for i in rng.integers(len(order), size=3)]
    return order


def write(path: Path, messages: list[RawMessage]) -> Path:
    path.unlink(missing_ok=True)
    writer = CaptureWriter(path, Header("2026-01-01T00:00:00+00:00", []))
    for message in messages:
        writer.write(message)
    writer.close()
    return path


def capture_feed(path: Path, site: Building, feed: ModuleType) -> CaptureFeed:
    gateways = [[("acme", "north", name) for name in site.gateways]]
    drain = Drain(gateways, feed.TIMING.window_us, feed.TIMING.lateness_us)
    return CaptureFeed(path, lambda _: True, drain)


def replayed(
    path: Path, site: Building, feed: ModuleType, *, batch: int = 500, epoch_s: float = 1.0
) -> Tally:
    sink, told = NullSink(), capture_feed(path, site, feed)
    source = ReplaySource(told, Progress(), batch)
    flow = build(source, sink, StaticDirectory([site]), feed.TIMING, feed.QUICK)
    run_main(flow, epoch_interval=timedelta(seconds=epoch_s))
    told.close()
    return sink.tally


@pytest.fixture(scope="module")
def expected(
    tmp_path_factory: pytest.TempPathFactory, sent, site: Building, feed: ModuleType
) -> Tally:
    path = tmp_path_factory.mktemp("plain") / "a.cap"
    messages = sorted((m for many in sent.values() for m in many), key=lambda m: m.topic)
    return replayed(write(path, messages), site, feed)


def test_the_input_is_worth_it(expected: Tally) -> None:
    assert expected.windows > 30
    assert expected.alerts > 0
    assert expected.dead_letters == 3
    assert expected.late == 0


@given(
    seed=st.integers(0, 2**32),
    repeats=st.booleans(),
    nearby=st.booleans(),
    batch=st.sampled_from([1, 3, 50, 500]),
    epoch_s=st.sampled_from([0.0, 0.01, 10.0]),
)
@some
def test_same_messages_same_result(
    tmp_path: Path, sent, site: Building, feed: ModuleType, expected: Tally,
    seed: int, repeats: bool, nearby: bool, batch: int, epoch_s: float,
) -> None:  # fmt: skip
    order = interleave(sent, np.random.default_rng(seed), repeats, nearby)
    path = write(tmp_path / "b.cap", order)
    found = replayed(path, site, feed, batch=batch, epoch_s=epoch_s)
    assert found.digests == expected.digests
    counted = ("windows", "rows", "reads", "solved", "late", "alerts")
    assert {n: getattr(found, n) for n in counted} == {n: getattr(expected, n) for n in counted}


class Struck(Exception):
    """A process that dies."""


class Dying(CaptureFeed):
    """Dies when it is asked for the n-th message of a life."""

    life = 0

    def messages(self, skip: int):
        for count, item in enumerate(super().messages(skip)):
            if count == self.life:
                raise Struck
            yield item


@pytest.mark.parametrize("batch", [1, 7])
def test_any_number_of_restarts(
    tmp_path: Path, sent, site: Building, feed: ModuleType, expected: Tally, batch: int
) -> None:
    order = interleave(sent, np.random.default_rng(batch), repeats=True, nearby=False)
    path = write(tmp_path / "c.cap", order)
    store = tmp_path / "store"
    store.mkdir()
    init_db_dir(store, 1)
    gateways = [[("acme", "north", name) for name in site.gateways]]
    drain = Drain(gateways, feed.TIMING.window_us, feed.TIMING.lateness_us)
    deaths = 0
    for attempt in range(40):
        told, sink, progress = Dying(path, lambda _: True, drain), NullSink(), Progress()
        told.life = 9 + attempt
        flow = build(
            ReplaySource(told, progress, batch), sink, StaticDirectory([site]), feed.TIMING,
            feed.QUICK,
        )  # fmt: skip
        try:
            run_main(flow, epoch_interval=timedelta(0), recovery_config=RecoveryConfig(str(store)))
            break
        except Exception as error:
            assert "Struck" in repr(error) or isinstance(error.__cause__, Struck), error
            deaths += 1
        finally:
            told.close()
    assert deaths > 2
    assert 0 < progress.messages < len(order) / 2  # it went on, and did not begin again
    assert sink.tally.digests == expected.digests
    assert sink.tally.windows == expected.windows


def test_the_order_is_that_of_event_time(tmp_path: Path, sent, site, feed) -> None:
    order = interleave(sent, np.random.default_rng(1), repeats=False, nearby=False)
    told = capture_feed(write(tmp_path / "d.cap", order), site, feed)
    items = list(told.messages(0))
    keys = [item.at_us for item in items if item.reads]
    assert keys == sorted(keys)
    assert len(items) == len(order) + len(site.gateways)
    for skip in (0, 1, len(told), len(told) + 1, len(items)):
        assert list(told.messages(skip)) == items[skip:]
    told.close()


def test_only_the_wanted_places(tmp_path: Path, sent) -> None:
    order = [*sent["gw-a"], RawMessage("elsewhere", b"x", 5)]
    path = write(tmp_path / "e.cap", order)
    asked: set[str] = set()
    told = CaptureFeed(path, lambda place: asked.add(place) or place == "acme/north", None)
    assert len(told) == len(sent["gw-a"])
    assert asked == {"acme/north", ""}
    told.close()
    told = CaptureFeed(path, lambda place: place == "", None)
    assert [item.message.topic for item in told.messages(0)] == ["elsewhere"]
    told.close()


def test_a_backlog_is_not_late(tmp_path: Path, site: Building, feed: ModuleType) -> None:
    """gw-b is away for a minute, sends the newest first and then what it kept."""
    receivers = dict(reversed(site.receivers.names))
    sent = {
        name: [
            feed.message(feed.batch(name, s, float(s), [(s - 0.5, "ble:aa01", receiver, -60.0)]))
            for s in range(1, 100)
        ]
        for name, receiver in receivers.items()
    }
    b = sent["gw-b"]
    arrived = [*sent["gw-a"], *sent["gw-c"], *b[:20], b[80], *b[20:80], *b[81:]]
    found = replayed(write(tmp_path / "f.cap", arrived), site, feed)
    assert found.late == 0
    assert found.reads == 3 * 99


@given(st.binary(max_size=300))
@some
def test_looking_never_raises(payload: bytes) -> None:
    looker = envelope.Looker()
    looker.look(payload, 0)
    looker.look(b"\x80" + payload, 2**60)


def test_a_look_agrees_with_the_flow(feed: ModuleType, site: Building) -> None:
    looker = envelope.Looker()
    made = feed.batch("gw-a", 7, 12.0, [(11.5, "ble:aa01", "r1", -60.0)], correction_us=250_000)
    looker.look(b"\x91\xc0", 0)  # what came before leaves no trace
    message = feed.message(made)
    seen = looker.look(message.payload, message.received_us)
    arrival = feed.arrival(site, made)
    assert seen == (arrival.boot, 7, arrival.until_us, int(arrival.time_us.max()), 1)
    rows = feed.rows_payload(sequence=3)
    seen = looker.look(rows, message.received_us)
    assert seen is not None and (seen.sequence, seen.reads) == (3, 1)
    too_early = looker.look(message.payload, arrival.until_us - envelope.FUTURE_US - 1)
    assert too_early is not None and too_early.until_us == envelope.NEVER_US
    assert envelope.OLDEST_US == flow_arrival.OLDEST_US
    assert envelope.FUTURE_US == flow_arrival.FUTURE_US
