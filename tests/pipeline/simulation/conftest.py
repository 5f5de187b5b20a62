"""One small busy world, built once: tests read it, none changes it."""

from __future__ import annotations

import pytest

from pipeline.simulation.generate import World
from pipeline.simulation.scenario import demo

SECONDS = 600


@pytest.fixture(scope="session")
def world():
    return World(demo(seed=3), SECONDS)


@pytest.fixture(scope="session")
def hospital(world):
    return world.hospital


@pytest.fixture(scope="session")
def walks(world):
    return world.walks
