from __future__ import annotations

from pathlib import Path

import pytest
from known_input import KnownInput, Run, make_input

from pipeline.cli.stack import Stack

SECONDS = 90.0


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> KnownInput:
    return make_input(tmp_path_factory.mktemp("input"), SECONDS)


@pytest.fixture(scope="session")
def uninterrupted(known: KnownInput, tmp_path_factory: pytest.TempPathFactory):
    """Every table after a run in which nothing went wrong."""
    directory: Path = tmp_path_factory.mktemp("uninterrupted")
    with Stack(directory) as stack:
        run = Run(stack, known)
        run.start(seconds=5.0)
        run.wait(60.0)
        return run.tables()
