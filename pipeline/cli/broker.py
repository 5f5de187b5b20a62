"""The MQTT broker of the settings, and what a pipeline asks of it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from pipeline.cli.errors import CliError
from pipeline.cli.settings import PipelineSettings
from pipeline.contracts.topics import ROOT
from pipeline.sources.mqtt_client import BrokerAddress, MqttClient


def broker_address(settings: PipelineSettings) -> BrokerAddress:
    """Raises CliError when it is missing or is none."""
    if settings.mqtt_url is None:
        raise CliError("set BIOTRAKR_MQTT_URL, or mqtt_url in the configuration")
    ca_file = str(settings.mqtt_ca_file) if settings.mqtt_ca_file else None
    try:
        return BrokerAddress.parse(settings.mqtt_url, ca_file)
    except ValueError as error:
        raise CliError(f"mqtt_url: {error}") from None


def subscriptions(facilities: Iterable[str]) -> list[str]:
    """Topic filters of these facilities' gateways; "+/+" stands for all."""
    return [
        f"{ROOT}/{place}/gateways/+/{channel}"
        for place in facilities
        for channel in ("reads", "status")
    ]


def forget_session(address: BrokerAddress, client_id: str, timeout_s: float = 15.0) -> None:
    """End a session that nobody will take up again, and with it what the broker queues for it."""
    client = MqttClient(address, client_id, [])
    client.start(session_expiry_s=0)
    try:
        deadline = time.monotonic() + timeout_s
        while client.lost_s is not None:
            if client.refused is not None:
                raise CliError(str(client.refused))
            if time.monotonic() > deadline:
                raise CliError(f"the broker at {address.host}:{address.port} does not answer")
            time.sleep(0.05)
    finally:
        client.stop()
