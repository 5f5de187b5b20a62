"""config/prometheus: rules that name metrics which exist, and say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from edge_agent.metrics import AgentCollector
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.messages import GatewayStatus
from pipeline.observability.exporter import Exporter
from pipeline.observability.health import Limits

FOLDER = Path(__file__).parents[2] / "config/prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]


def names(registry: CollectorRegistry) -> Iterator[str]:
    """Of samples, as rules name them."""
    for family in registry.collect():
        yield from {
            "counter": [f"{family.name}_total"],
            "histogram": [f"{family.name}_{part}" for part in ("bucket", "sum", "count")],
        }.get(family.type, [family.name])


@pytest.fixture(scope="module")
def known() -> set[str]:
    exporter = Exporter(Limits(30.0, 0.5, 30.0), 500_000)
    client: Any = SimpleNamespace(lost_s=None, refused=None, waiting=0)
    outbox: Any = SimpleNamespace(unpublished=0, oldest_age_s=0.0)
    exporter.watch_broker(client, client)
    exporter.watch_outbox(outbox)
    exporter.watch_recovery(FOLDER)
    examples = (example for each in EXAMPLES.values() for example in each)
    status = next(example for example in examples if isinstance(example, GatewayStatus))
    agent = CollectorRegistry()
    publisher: Any = SimpleNamespace(connected=True)
    clock: Any = SimpleNamespace(now_us=lambda: 0)
    agent.register(AgentCollector(lambda: status, publisher, clock))
    return {*names(exporter.registry), *names(agent), "up"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule(rule: dict[str, Any], known: set[str]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "action"}
    named = set(re.findall(r"\b(?:biotrakr|process)_\w+|\bup\b", rule["expr"]))
    assert named
    assert named <= known
    advised = set(re.findall(r"\bbiotrakr_\w+", rule["annotations"]["action"]))
    histograms = {name.removesuffix("_bucket") for name in known if name.endswith("_bucket")}
    assert advised <= known | histograms


def test_names_of_rules_differ() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_the_scrape_example() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert [(FOLDER / name).is_file() for name in config["rule_files"]] == [True]
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    used = {job for rule in RULES for job in re.findall(r'job="([^"]+)"', rule["expr"])}
    assert used <= jobs
