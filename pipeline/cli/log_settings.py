"""The Kafka-compatible log of the settings: its connectors, loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from pipeline.cli.errors import CliError
from pipeline.cli.settings import PipelineSettings
from pipeline.registry.sharding import Shard
from pipeline.sources.errors import LogUnusable
from pipeline.sources.mqtt_client import MqttClient


def count_partitions(settings: PipelineSettings) -> int:
    """Asks the log. Raises CliError when it cannot be used."""
    module = _load("kafka")
    try:
        return int(module.count_partitions(*_where(settings), settings.kafka_options))
    except LogUnusable as error:
        raise CliError(str(error)) from None


def log_source(settings: PipelineSettings, shard: Shard, acknowledge: Callable[[], None]) -> Any:
    """A source of RawMessage over the shard's partitions."""
    partitions = shard.own_partitions
    if not partitions:
        raise CliError(f"shard {shard.name} has no partition: the topic has {shard.partitions}")
    where, options = _where(settings), settings.kafka_options
    return _load("kafka").KafkaSource(*where, partitions, options, acknowledge)


def make_bridge(
    settings: PipelineSettings, client: MqttClient, fault: Callable[[str], None]
) -> Any:
    """A Bridge from the client's subscriptions into the log."""
    partitions = count_partitions(settings)
    options = settings.kafka_options
    return _load("kafka_bridge").Bridge(client, *_where(settings), partitions, options, fault)


def _where(settings: PipelineSettings) -> tuple[str, str]:
    if settings.kafka_brokers is None:
        raise CliError("set kafka_brokers, --kafka or BIOTRAKR_KAFKA_BROKERS: host:9092,...")
    return settings.kafka_brokers, settings.kafka_topic


def _load(name: str) -> ModuleType:
    try:
        return import_module(f"pipeline.sources.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "confluent_kafka":
            raise
        raise CliError("a log needs the extra [kafka]: pip install 'biotrakr[kafka]'") from None
