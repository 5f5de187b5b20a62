from __future__ import annotations

from pathlib import Path

import pytest
from known_input import KnownInput, Run, make_input

from pipeline.cli.stack import Stack

SECONDS = 180.0
SEED = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=SEED, help="of the schedule of faults")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    chosen: int = request.config.getoption("--seed", SEED)
    return chosen


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
