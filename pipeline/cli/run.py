"""`biotrakr run`: the dataflow between a broker, or a log, and a database, until it is stopped."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from bytewax._bytewax import cli_main
from bytewax.recovery import RecoveryConfig

from pipeline.cli.broker import broker_address, subscriptions
from pipeline.cli.errors import CliError
from pipeline.cli.faults import fault_from_environment
from pipeline.cli.log_settings import count_partitions, log_source
from pipeline.cli.observe import exporter_of, listener_of
from pipeline.cli.recovery import ALONE, directory_of, is_store, make_store
from pipeline.cli.settings import PipelineSettings, load_settings
from pipeline.cli.shard_lock import ShardLock
from pipeline.database.connect import connect
from pipeline.database.errors import ConnectionFailed
from pipeline.flow.dataflow import build
from pipeline.jobs.orphans import end_orphans
from pipeline.jobs.retention import Housekeeper
from pipeline.observability.engine_metrics import ObservedSource
from pipeline.registry.directory import DatabaseDirectory
from pipeline.registry.sharding import Shard
from pipeline.sinks.outbox import OutboxPublisher
from pipeline.sinks.timescale import TimescaleSink
from pipeline.sources.acks import AckBoard, AckPublisher
from pipeline.sources.mqtt import MqttSource
from pipeline.sources.mqtt_client import MqttClient

log = logging.getLogger(__name__)
INGEST_ROLE = "biotrakr_ingest"


def register(commands: Any) -> None:
    parser = commands.add_parser("run", help="run the dataflow", description=__doc__)
    parser.add_argument(
        "--config", type=Path, help="a TOML file, see config/examples/pipeline.toml"
    )
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.add_argument("--mqtt-url", help="default: BIOTRAKR_MQTT_URL")
    parser.add_argument("--recovery-directory", type=Path)
    parser.add_argument("--facility", action="append", dest="facilities",
                        help="organization/facility; repeat; default: all")  # fmt: skip
    parser.add_argument("--shard", help="i/n: the facilities that fall to process i of n, from 0; "
                        "or a name for a process with --facility")  # fmt: skip
    parser.add_argument("--kafka", dest="kafka_brokers",
                        help="host:9092,...: a log that `biotrakr bridge` fills")  # fmt: skip
    parser.add_argument("--kafka-topic", help="default: biotrakr")
    parser.add_argument("--metrics-address",
                        help="serve /metrics and /health, such as at 127.0.0.1:9464")  # fmt: skip
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    names = ("database_url", "mqtt_url", "recovery_directory", "facilities", "shard",
             "kafka_brokers", "kafka_topic", "metrics_address")  # fmt: skip
    settings = load_settings(options.config, {name: getattr(options, name) for name in names})
    run_pipeline(settings)
    return 0


def run_pipeline(settings: PipelineSettings) -> None:
    """Runs until the process is signalled; SIGTERM ends it at once, which is safe at any moment."""
    if settings.database_url is None or settings.mqtt_url is None:
        raise CliError(
            "set BIOTRAKR_DATABASE_URL and BIOTRAKR_MQTT_URL (or database_url and mqtt_url in the "
            "configuration), or try everything without either: biotrakr demo"
        )
    address, open_database = broker_address(settings), _database(settings)
    fault = fault_from_environment()
    exporter = exporter_of(settings)
    listener = listener_of(settings, exporter)
    shard = _shard(settings)
    name = shard.name if shard else settings.shard
    store = directory_of(settings.recovery_directory, shard)
    lock = ShardLock(open_database, name, _scheme(settings, shard), _end)
    lock.acquire()
    acks = AckBoard()
    sender = MqttClient(address, f"biotrakr-outbox-{name}", [])
    acknowledge = AckPublisher(acks, sender, fault).publish
    directory = DatabaseDirectory(
        open_database, shard.owns if shard else settings.facilities or None
    )
    if settings.kafka_brokers is None:
        places = directory.facilities if shard else settings.facilities or ["+/+"]
        client = MqttClient(address, f"biotrakr-pipeline-{name}", subscriptions(places))
        source = MqttSource(lambda: client, acknowledge)
        if shard is not None:  # a facility that is registered later is heard without a restart
            directory.tell(lambda facilities: client.follow(subscriptions(facilities)))
    else:
        source = log_source(settings, shard or Shard(0, 1), acknowledge)
    sink = TimescaleSink(open_database, acks.put, fault, exporter.sink)
    outbox = OutboxPublisher(open_database, sender)
    timing, policy = settings.timing_values(), settings.policy_values()
    watched = ObservedSource(source, exporter.loop)
    flow = build(watched, sink, directory, timing, policy, exporter.flow)
    recovery = _recovery(store, open_database, directory.facilities)
    exporter.watch_broker(sender, client if settings.kafka_brokers is None else None)
    exporter.watch_outbox(outbox)
    exporter.watch_recovery(store)
    if listener is not None:
        listener.start()
    directory.start()
    sender.start()
    outbox.start()
    housekeeper = Housekeeper(open_database, settings.history.keep_h)
    housekeeper.start()
    try:
        interval = timedelta(seconds=settings.epoch_s)
        cli_main(flow, epoch_interval=interval, recovery_config=recovery)  # type: ignore[no-untyped-call]
    finally:
        housekeeper.stop()
        outbox.stop()
        sender.stop()
        directory.stop()
        lock.release()


def _shard(settings: PipelineSettings) -> Shard | None:
    """None: the process works alone, or for facilities chosen by hand."""
    if settings.kafka_brokers is None:
        return settings.numbered_shard
    if settings.facilities:
        raise CliError("with a log its partitions choose the facilities: leave facilities out")
    numbered = settings.numbered_shard or Shard(0, 1)
    return Shard(numbered.index, numbered.count, count_partitions(settings))


def _scheme(settings: PipelineSettings, shard: Shard | None) -> str | None:
    """What the processes that run beside this one must have in common; None: nothing."""
    if shard is not None:
        return shard.scheme
    return None if settings.facilities else ALONE


def _end(reason: str) -> None:
    """Another process works for the same facilities: end this one at once, which is safe."""
    log.critical("%s", reason)
    logging.shutdown()
    os._exit(1)


def _database(settings: PipelineSettings) -> Callable[..., psycopg.Connection[Any]]:
    """Opens connections; may be given an application name. Raises CliError when none can be had."""
    assert settings.database_url is not None
    url = settings.database_url

    def open_database(application_name: str = "biotrakr-pipeline") -> psycopg.Connection[Any]:
        try:
            return connect(url, application_name=application_name, role=INGEST_ROLE)
        except ConnectionFailed as error:
            # The sink waits for a database that is away; only psycopg's class says "away".
            raise psycopg.OperationalError(str(error)) from None

    try:
        open_database().close()
    except psycopg.OperationalError as error:
        raise CliError(f"database_url: {error}") from None
    return open_database


def _recovery(
    store: Path, open_database: Callable[[], psycopg.Connection[Any]], facilities: list[str]
) -> RecoveryConfig:
    """The engine's store; a new one means that no earlier state of `facilities` is remembered."""
    if not is_store(store) and facilities:
        with open_database() as connection:
            ended = end_orphans(connection, facilities)
        if ended:
            log.warning("the recovery directory is new; ended what was open: %s", ended)
    return make_store(store)
