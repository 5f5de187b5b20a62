from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from pipeline.domain.floorplan import Building

# A busy machine is slow, not wrong.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def load(path: Path, name: str) -> ModuleType:
    """A module of test helpers: there are no packages under tests/ to import it from."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """The builders of tests/pipeline/domain/synthetic.py."""
    domain = Path(__file__).parents[1] / "domain"
    return load(domain / "synthetic.py", "biotrakr_test_synthetic")


@pytest.fixture(scope="session")
def feed(synthetic: ModuleType) -> ModuleType:
    """The builders of messages beside this file."""
    return load(Path(__file__).with_name("feed.py"), "biotrakr_test_feed")


@pytest.fixture(scope="session")
def site(synthetic: ModuleType) -> Building:
    return synthetic.building()
