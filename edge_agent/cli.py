"""The `biotrakr-edge` command.

Exit status of all commands: 2 when what was asked or configured is wrong and nothing was done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from edge_agent.errors import SettingsError
from edge_agent.program import program_version

COMMANDS = {
    "run": ("run_command", "read, spool and publish until stopped"),
    "check-config": ("check_command", "say whether the configuration is good"),
    "status": ("status_command", "how the agent here is; exit 0 well, 1 in trouble, 2 not running"),
    "discover": ("discover.command", "what answers on the serial ports and what is in the air"),
    "provision": ("provision_command", "make this gateway's key, say what ops must enter"),
    "decode": ("decode_command", "what decoders make of bytes on standard input"),
}
"""Name -> module with `add_arguments` and `main`, and what it is for."""


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(words).parse_args(words)
    try:
        return int(options.call(options))
    except SettingsError as error:
        for mistake in error.mistakes:
            print(f"biotrakr-edge: {mistake}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has enough of it
        return 0


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Only the module of the command that is asked for is loaded: small computers are slow."""
    parser = argparse.ArgumentParser(prog="biotrakr-edge", description="The agent of a gateway.")
    parser.add_argument("--version", action="version", version=program_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module_name, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name in words:
            module = import_module(f"edge_agent.{module_name}")
            command.description = module.__doc__
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(command)
            command.set_defaults(call=module.main)
    return parser


if __name__ == "__main__":
    sys.exit(main())
