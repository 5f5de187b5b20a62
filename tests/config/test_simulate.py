"""`biotrakr simulate`: every gateway publishes to a broker elsewhere, adverts and RFID reads."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.cli import simulate
from pipeline.cli.errors import CliError
from pipeline.contracts.topics import gateway_user, parse_gateway
from pipeline.embedded import Broker, start_broker
from pipeline.simulation.hospital import build_hospital
from pipeline.simulation.scenario import Scenario


@pytest.fixture
def seen() -> dict[str, set[str]]:
    """Gateway -> channels on which something came."""
    return {}


def _listen(broker: Broker, seen: dict[str, set[str]]) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set(*broker.credentials("pipeline"))

    def heard(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        topic = parse_gateway(message.topic)
        seen.setdefault(topic.gateway, set()).add(topic.channel)

    client.on_message = heard
    client.connect("127.0.0.1", urlsplit(broker.url).port or 0)
    client.subscribe("biotrakr/v1/+/+/gateways/+/+", qos=1)
    client.loop_start()
    return client


def test_every_gateway_publishes(
    run: Callable[..., int],
    tmp_path: Path,
    seen: dict[str, set[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    site = build_hospital(Scenario()).site
    place = (site.organization.code, site.facility.code)
    gateways = [gateway.code for gateway in site.buildings[0].gateways]
    with start_broker() as broker:
        for gateway in gateways:
            _, password = broker.credentials(gateway_user(*place, gateway))
            (tmp_path / f"{gateway}.password").write_text(password)
        client = _listen(broker, seen)
        status = run(
            simulate, "simulate", "--broker", broker.url, "--passwords", tmp_path,
            "--directory", tmp_path, "--hours", 12 / 3600,
        )  # fmt: skip
        client.disconnect()
        client.loop_stop()
    assert status == 0
    assert seen == {gateway: {"reads", "status"} for gateway in gateways}


def test_an_agent_that_ends_is_an_error(
    run: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    words = ("--passwords", tmp_path / "none", "--directory", tmp_path, "--hours", 1)
    assert run(simulate, "simulate", "--broker", "mqtt://127.0.0.1:1", *words) == 1
    assert "ended by itself" in capsys.readouterr().err


def test_the_broker_s_address(run: Callable[..., int], tmp_path: Path) -> None:
    words = ("--passwords", tmp_path, "--directory", tmp_path)
    with pytest.raises(CliError, match="expected mqtts"):
        run(simulate, "simulate", "--broker", "broker:8883", *words)
