"""`biotrakr run`: the dataflow between a broker and a database, until it is stopped."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from bytewax._bytewax import cli_main
from bytewax.recovery import RecoveryConfig, init_db_dir

from pipeline.cli.errors import CliError
from pipeline.cli.faults import fault_from_environment
from pipeline.cli.settings import PipelineSettings, load_settings
from pipeline.contracts.topics import ROOT
from pipeline.database.connect import connect
from pipeline.database.errors import ConnectionFailed
from pipeline.flow.dataflow import build
from pipeline.jobs.orphans import end_orphans
from pipeline.registry.directory import DatabaseDirectory
from pipeline.sinks.outbox import OutboxPublisher
from pipeline.sinks.timescale import TimescaleSink
from pipeline.sources.acks import AckBoard
from pipeline.sources.mqtt import MqttSource
from pipeline.sources.mqtt_client import BrokerAddress, MqttClient

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
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    names = ("database_url", "mqtt_url", "recovery_directory", "facilities")
    settings = load_settings(options.config, {name: getattr(options, name) for name in names})
    run_pipeline(settings)
    return 0


def run_pipeline(settings: PipelineSettings) -> None:
    """Runs until the process is signalled; SIGTERM ends it at once, which is safe at any moment."""
    address, open_database = _addresses(settings)
    fault = fault_from_environment()
    facilities = settings.facilities or None
    directory = DatabaseDirectory(open_database, facilities)
    acks = AckBoard()
    client_id = f"biotrakr-pipeline-{settings.shard}"
    topics = _subscriptions(settings.facilities)
    source = MqttSource(lambda: MqttClient(address, client_id, topics), acks, fault)
    sink = TimescaleSink(open_database, acks.put, fault)
    sender = MqttClient(address, f"biotrakr-outbox-{settings.shard}", [])
    outbox = OutboxPublisher(open_database, sender)
    flow = build(source, sink, directory, settings.timing_values(), settings.policy_values())
    recovery = _recovery(settings.recovery_directory, open_database, facilities)
    directory.start()
    sender.start()
    outbox.start()
    try:
        interval = timedelta(seconds=settings.epoch_s)
        cli_main(flow, epoch_interval=interval, recovery_config=recovery)  # type: ignore[no-untyped-call]
    finally:
        outbox.stop()
        sender.stop()
        directory.stop()


def _addresses(
    settings: PipelineSettings,
) -> tuple[BrokerAddress, Callable[[], psycopg.Connection[Any]]]:
    if settings.database_url is None or settings.mqtt_url is None:
        raise CliError(
            "set BIOTRAKR_DATABASE_URL and BIOTRAKR_MQTT_URL (or database_url and mqtt_url in the "
            "configuration), or try everything without either: biotrakr demo"
        )
    ca_file = str(settings.mqtt_ca_file) if settings.mqtt_ca_file else None
    try:
        address = BrokerAddress.parse(settings.mqtt_url, ca_file)
    except ValueError as error:
        raise CliError(f"mqtt_url: {error}") from None
    url = settings.database_url

    def open_database() -> psycopg.Connection[Any]:
        try:
            return connect(url, application_name="biotrakr-pipeline", role=INGEST_ROLE)
        except ConnectionFailed as error:
            # The sink waits for a database that is away; only psycopg's class says "away".
            raise psycopg.OperationalError(str(error)) from None

    try:
        open_database().close()
    except psycopg.OperationalError as error:
        raise CliError(f"database_url: {error}") from None
    return address, open_database


def _subscriptions(facilities: list[str]) -> list[str]:
    places = facilities or ["+/+"]
    return [
        f"{ROOT}/{place}/gateways/+/{channel}"
        for place in places
        for channel in ("reads", "status")
    ]


def _recovery(
    directory: Path,
    open_database: Callable[[], psycopg.Connection[Any]],
    facilities: list[str] | None,
) -> RecoveryConfig:
    """The engine's store; made on first use, which means that no earlier state is remembered."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        fresh = not any(directory.glob("part-*.sqlite3"))
        if fresh:
            with open_database() as connection:
                ended = end_orphans(connection, facilities)
            if ended:
                log.warning("the recovery directory is new; ended what was open: %s", ended)
            init_db_dir(directory, 1)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise CliError(f"recovery_directory: {directory} cannot be used: {error}") from None
    return RecoveryConfig(directory)  # type: ignore[no-untyped-call]
