"""config/examples: they load, they show every key, and what they show is the default."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge_agent.settings import load
from pipeline.cli.settings import PipelineSettings, load_settings

WITHOUT_DEFAULT = {"database_url", "mqtt_url", "mqtt_ca_file", "metrics_address", "kafka_brokers"}


@pytest.fixture(autouse=True)
def _no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "MQTT_URL", "MQTT_URL_FILE"):
        monkeypatch.delenv(f"BIOTRAKR_{name}", raising=False)


def _uncommented(path: Path) -> dict[str, Any]:
    return tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", path.read_text(), flags=re.MULTILINE))


def test_pipeline_changes_nothing(root: Path) -> None:
    assert load_settings(root / "config/examples/pipeline.toml", {}) == PipelineSettings()


def test_pipeline_shows_every_key_and_its_default(root: Path, tmp_path: Path) -> None:
    shown = _uncommented(root / "config/examples/pipeline.toml")
    defaults = PipelineSettings().model_dump(mode="json")
    assert set(shown) == set(defaults)
    for name in ("timing", "policy"):
        assert shown[name] == defaults[name]
    for name in set(shown) - WITHOUT_DEFAULT - {"timing", "policy"}:
        assert shown[name] == defaults[name], name
    PipelineSettings.model_validate(shown)


def test_gateway(root: Path) -> None:
    settings = load(root / "config/examples/gateway.toml")
    assert settings.user == "st-mary/main/gateways/gw-3f-east"
    assert {reader.kind for reader in settings.readers} == {"serial", "ble"}
