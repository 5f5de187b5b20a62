"""`biotrakr capture`: record what gateways send into a file that `biotrakr replay` can run.

The pipeline gets every message all the same. End it with Ctrl-C, or give --seconds.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.cli.broker import broker_address, subscriptions
from pipeline.cli.settings import load_settings
from pipeline.sources.capture import Recorded, Recorder
from pipeline.sources.capture_file import CaptureWriter, Header
from pipeline.sources.mqtt_client import MqttClient


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "capture", help="record messages into a file", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--append", action="store_true", help="go on in a capture that is there")
    parser.add_argument("--seconds", type=float, help="end by itself; default: Ctrl-C")
    parser.add_argument("--facility", action="append", dest="facilities",
                        help="organization/facility; repeat; default: all")  # fmt: skip
    parser.add_argument("--config", type=Path, help="the pipeline's TOML file")
    parser.add_argument("--mqtt-url", help="default: BIOTRAKR_MQTT_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    names = ("mqtt_url", "facilities")
    settings = load_settings(options.config, {name: getattr(options, name) for name in names})
    address = broker_address(settings)
    topics = subscriptions(settings.facilities or ["+/+"])
    header = Header(datetime.now(UTC).isoformat(timespec="seconds"), topics)
    writer = CaptureWriter(options.out, header, append=options.append)
    # Another client id than the pipeline's, or the broker would throw the pipeline out.
    client = MqttClient(address, f"biotrakr-capture-{secrets.token_hex(6)}", topics)
    recorder = Recorder(client, writer)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        recorder.run(stopping, options.seconds, _tell)
    finally:
        writer.close()
    _tell(recorder.recorded)
    if recorder.recorded.lost:
        print(
            f"biotrakr: the connection was lost {recorder.recorded.lost} time(s); "
            "messages may be missing",
            file=sys.stderr,
        )
    return 0


def _tell(recorded: Recorded) -> None:
    print(
        f"{recorded.messages} messages, {recorded.bytes / 1e6:.1f} MB", file=sys.stderr, flush=True
    )
