"""Try the embedded services from a shell.

python -m pipeline.embedded prepare      fill the cache
python -m pipeline.embedded run          start both until Ctrl-C, and say how to connect
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.embedded.errors import EmbeddedError
from pipeline.embedded.mosquitto import PIPELINE_USER, Broker, start_broker
from pipeline.embedded.packages import prepare
from pipeline.embedded.postgres import Database, start_database


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "prepare":
            print(prepare(_say, rebuild=options.rebuild).root)
        else:
            _run(options.directory)
    except EmbeddedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    return 0


def _run(directory: Path | None) -> None:
    postgresql = directory / "postgresql" if directory else None
    mosquitto = directory / "mosquitto" if directory else None
    with (
        start_database(postgresql, progress=_say) as database,
        start_broker(mosquitto, progress=_say) as broker,
    ):
        stopping = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
        print(_how_to_connect(database, broker), flush=True)
        signal.sigwait(stopping)
        _say("stopping")


def _how_to_connect(database: Database, broker: Broker) -> str:
    user, password = broker.credentials(PIPELINE_USER)
    login = ["-h", "127.0.0.1", "-p", str(broker.port), "-u", user, "-P", password]
    subscribe = [str(broker.mosquitto_sub), *login, "-v", "-t", "biotrakr/v1/#"]
    return "\n".join(
        [
            f"database  {database.url}",
            f"broker    {broker.url}",
            "",
            shlex.join([str(database.psql), database.url]),
            shlex.join(subscribe),
            "",
            f"logs: {database.log} {broker.log}",
            "Ctrl-C stops both.",
        ]
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.embedded", description="TimescaleDB and Mosquitto, no root."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fill = commands.add_parser("prepare", help="fill the cache")
    fill.add_argument("--rebuild", action="store_true", help="even when it is whole")
    run = commands.add_parser("run", help="start both until Ctrl-C")
    run.add_argument("--directory", type=Path, help="keep the data here (default: throw it away)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
