"""`biotrakr`: parse the command line, run one subcommand, turn errors into one clear message.

Exit status: 0 done, 1 failed while running, 2 wrong arguments or configuration (nothing started).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import psycopg

from pipeline.cli import (
    audit,
    backfill,
    bridge,
    calibrate,
    capacity,
    capture,
    demo,
    doctor,
    evaluate,
    exchange,
    gateway,
    health,
    keys,
    locate,
    migrate,
    query,
    replay,
    run,
    seed,
    setup,
    shards,
    simulate,
    site,
    upkeep,
)
from pipeline.cli.errors import CliError, RunFailed
from pipeline.contracts import log_lines
from pipeline.database.errors import DatabaseError
from pipeline.embedded import EmbeddedError
from pipeline.exchange.errors import ExchangeError
from pipeline.flow.errors import FlowError
from pipeline.registry.errors import RegistryError, SiteFileError
from pipeline.seed.errors import SeedError
from pipeline.sinks.errors import SinkError
from pipeline.sources.errors import SourceError

COMMANDS = (
    demo, run, migrate, site, gateway, keys, setup, simulate, health, shards, bridge, capacity,
    capture, replay, backfill, query, exchange, seed, audit, doctor, upkeep, locate, evaluate,
    calibrate,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="biotrakr", description=__doc__.splitlines()[0])
    parser.add_argument("--log-level", default="WARNING", choices=("DEBUG", "INFO", "WARNING"))
    parser.add_argument("--log-format", default="text", choices=log_lines.FORMATS)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.register(commands)
    options = parser.parse_args(arguments)
    log_lines.configure(options.log_level, options.log_format)
    try:
        return int(options.command(options))
    except (CliError, ExchangeError, SiteFileError) as error:
        print(f"biotrakr: {error}", file=sys.stderr)
        return 2
    except (
        DatabaseError, EmbeddedError, FlowError, RegistryError, RunFailed, SeedError, SinkError,
        SourceError,
    ) as error:  # fmt: skip
        print(f"biotrakr: {error}", file=sys.stderr)
        return 1
    except psycopg.OperationalError as error:
        print(f"biotrakr: the database is away: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
