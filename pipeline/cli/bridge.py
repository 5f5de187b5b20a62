"""`biotrakr bridge`: moves the gateways' messages from MQTT into a Kafka-compatible log.

Needs the extra [kafka]. Ends only when it is signalled, or when the log refuses a message for good.
Killing it is safe at any moment. Run one a set of facilities: two with one name would throw each
other off the broker.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.broker import broker_address, subscriptions
from pipeline.cli.errors import RunFailed
from pipeline.cli.faults import fault_from_environment
from pipeline.cli.log_settings import make_bridge
from pipeline.cli.settings import PipelineSettings, load_settings
from pipeline.sources.errors import LogUnusable
from pipeline.sources.mqtt_client import MqttClient


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "bridge", help="move messages from MQTT into a Kafka log", description=__doc__
    )
    parser.add_argument("--config", type=Path, help="the same file as for biotrakr run")
    parser.add_argument("--mqtt-url", help="default: BIOTRAKR_MQTT_URL")
    parser.add_argument("--kafka", dest="kafka_brokers", help="host:9092,...")
    parser.add_argument("--kafka-topic", help="must exist; default: biotrakr")
    parser.add_argument("--facility", action="append", dest="facilities",
                        help="organization/facility, or organization/+; repeat")  # fmt: skip
    parser.add_argument("--name", dest="shard", help="of its MQTT session; default: all")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    names = ("mqtt_url", "kafka_brokers", "kafka_topic", "facilities", "shard")
    run_bridge(load_settings(options.config, {name: getattr(options, name) for name in names}))
    return 0


def run_bridge(settings: PipelineSettings) -> None:
    """Until the process is signalled. Raises CliError or RunFailed."""
    name = settings.shard.replace("/", "-of-")
    topics = subscriptions(settings.facilities or ["+/+"])
    client = MqttClient(broker_address(settings), f"biotrakr-bridge-{name}", topics)
    bridge = make_bridge(settings, client, fault_from_environment())
    try:
        bridge.run()
    except LogUnusable as error:
        raise RunFailed(str(error)) from None
