"""The dataflow under bytewax: end to end, killed and resumed, and its picture."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main
from bytewax.visualize import to_mermaid

from pipeline.contracts.transport import DeadLetter, GatewayMark, StatusReport
from pipeline.domain.events import ClosedWindow
from pipeline.flow.building_logic import BuildingFlow
from pipeline.flow.dataflow import build
from pipeline.registry.directory import StaticDirectory

Items = list[tuple[str, object]]
"""What the sink is given: (building key, record), or ("", record) for what has no building."""


def records(out: Items) -> list[object]:
    return [record for _, record in out]


MERMAID = Path(__file__).with_name("dataflow.mermaid")


@pytest.fixture(autouse=True)
def no_api(monkeypatch, tmp_path):
    """The engine's web server writes into the working directory; it is not wanted here."""
    monkeypatch.delenv("BYTEWAX_DATAFLOW_API_ENABLED", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make(feed, site):
    """A flow from a list of messages into a list of records."""

    def flow(messages, out, batch_size=3):
        source, sink = TestingSource(messages, batch_size), TestingSink(out)
        return build(source, sink, StaticDirectory([site]), feed.TIMING, feed.QUICK)

    return flow


@pytest.fixture(scope="module")
def sent(feed, site):
    """What three gateways send, with a status and two bad messages among it."""
    messages = [feed.message(b) for b in feed.in_order(feed.scenario(5, site, seconds=30))]
    messages[10:10] = [feed.status_message("gw-b"), feed.message(b"?"), feed.message(b"")]
    return messages


@pytest.fixture(scope="module")
def expected(feed, site, sent):
    """What BuildingFlow tells without the engine."""
    flow = BuildingFlow(site, feed.TIMING, feed.QUICK)
    batches = feed.in_order(feed.scenario(5, site, seconds=30))
    return feed.told(flow.take([feed.arrival(site, b) for b in batches]))


def test_end_to_end(feed, site, make, sent, expected):
    out = []
    run_main(make(sent, out))
    assert len(expected) > 20
    assert feed.told(records(out)) == expected
    assert [(key, type(r)) for key, r in out if isinstance(r, StatusReport | DeadLetter)] == [
        ("", StatusReport), ("", DeadLetter), ("", DeadLetter)
    ]  # fmt: skip
    assert {key for key, r in out if isinstance(r, ClosedWindow | GatewayMark)} == {site.key}
    last = {r.gateway: r.sequence for r in records(out) if isinstance(r, GatewayMark)}
    assert last == {
        b.gateway: b.sequence for b in feed.in_order(feed.scenario(5, site, seconds=30))
    }


def test_two_buildings_do_not_mix(feed, synthetic, site, sent, expected):
    """The other one has the same codes in another facility."""
    twin = replace(site, key="acme/south/main", facility="south")
    there = [replace(m, topic=m.topic.replace("/north/", "/south/")) for m in sent]
    both = [message for pair in zip(sent, there, strict=True) for message in pair]
    out = []
    directory = StaticDirectory([site, twin])
    run_main(build(TestingSource(both, 5), TestingSink(out), directory, feed.TIMING, feed.QUICK))
    for key in (site.key, twin.key):
        assert feed.told(record for place, record in out if place == key) == expected


def test_a_building_of_another_version_is_adopted_between_batches(feed, synthetic, sent):
    """The registry drops all zones half way: no zone visit begins after that."""

    class Changing(StaticDirectory):
        asked = 0

        def building(self, key):
            self.asked += 1
            return synthetic.building(version=2, zones=(), rules=()) if self.asked > 40 else before

    before = synthetic.building()
    out = []
    directory = Changing([before])
    run_main(build(TestingSource(sent, 1), TestingSink(out), directory, feed.TIMING, feed.QUICK))
    windows = [r for r in records(out) if isinstance(r, ClosedWindow)]
    versions = [w.building.version for w in windows]
    assert versions == sorted(versions)
    assert set(versions) == {1, 2}
    assert [w for w in windows if w.building.version == 1 and w.result.zone_visits]
    assert not [w for w in windows if w.building.version == 2 and w.result.zone_visits]


def test_killed_and_resumed(feed, make, sent, expected, tmp_path):
    """Ten kills; what a sink with a high-water mark keeps is what an uninterrupted run gives."""
    recovery, out = tmp_path / "recovery", []
    recovery.mkdir()
    init_db_dir(recovery, 1)
    step = len(sent) // 11
    messages = list(sent)
    for i in range(10, 0, -1):
        messages.insert(i * step, TestingSource.ABORT())
    kept, high, runs = [], 0, 0
    while True:
        out.clear()
        run_main(
            make(messages, out, batch_size=4),
            epoch_interval=timedelta(0),
            recovery_config=RecoveryConfig(str(recovery)),
        )
        runs += 1
        for record in records(out):
            if isinstance(record, ClosedWindow) and record.result.end_us > high:
                high = record.result.end_us
                kept.append(record)
        if runs == 11:
            break
    assert feed.told(kept) == expected
    assert all(m._triggered for m in messages if isinstance(m, TestingSource.ABORT))


def test_steps_have_stable_names(make):
    """Recovery finds its state by these: a renamed step forgets everything."""
    flow = make([], [])
    assert [step.step_id.removeprefix("biotrakr.") for step in flow.substeps] == [
        "messages", "decode", "route", "track", "records", "store"
    ]  # fmt: skip
    assert flow.flow_id == "biotrakr"


def test_the_picture_is_the_one_in_the_readme(make):
    picture = to_mermaid(make([], [])).strip()
    assert picture == MERMAID.read_text(encoding="utf-8").strip()
    steps = re.findall(r'\["(\w+) \(', picture)
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert " -> ".join(steps) in readme
