from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.database.testing import DatabaseServer, shared_server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> DatabaseServer:
    return shared_server(pytestconfig)


@pytest.fixture
def run() -> Callable[..., int]:
    """Run a subcommand's module as `biotrakr` would: run(keys, "keys", "list", ...)."""

    def run_(module: Any, *words: object) -> int:
        parser = argparse.ArgumentParser()
        module.register(parser.add_subparsers(required=True))
        options = parser.parse_args([str(word) for word in words])
        return int(options.command(options))

    return run_
