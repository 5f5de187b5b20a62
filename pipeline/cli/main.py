"""`biotrakr`: parse the command line, run one subcommand, turn errors into one clear message.

Exit status: 0 done, 1 failed while running, 2 wrong arguments or configuration (nothing started).
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pipeline.cli import demo, health, keys, migrate, run, setup, simulate, site
from pipeline.cli.errors import CliError, RunFailed
from pipeline.database.errors import DatabaseError
from pipeline.embedded import EmbeddedError
from pipeline.flow.errors import FlowError
from pipeline.registry.errors import RegistryError, SiteFileError

COMMANDS = (demo, run, migrate, site, keys, setup, simulate, health)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="biotrakr", description=__doc__.splitlines()[0])
    parser.add_argument("--log-level", default="WARNING", choices=("DEBUG", "INFO", "WARNING"))
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.register(commands)
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=options.log_level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        return int(options.command(options))
    except (CliError, SiteFileError) as error:
        print(f"biotrakr: {error}", file=sys.stderr)
        return 2
    except (DatabaseError, EmbeddedError, FlowError, RegistryError, RunFailed) as error:
        print(f"biotrakr: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
