"""Buildings that do not change: who is where, and what to do when one is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.floorplan import Building, Receivers
from pipeline.registry.directory import StaticDirectory
from pipeline.registry.errors import RegistryError


@pytest.fixture
def building() -> Building:
    """As little as a building can be."""
    none, number = np.zeros(0), np.zeros(0, dtype=np.int64)
    receivers = Receivers((), (), np.zeros((0, 3)), number, number, number, none, none, none, none)
    return Building(
        key="acme/north/main", organization="acme", facility="north", code="main", ids={},
        floors=(), rooms=(), zones=(), rules=(), receivers=receivers, gateways=("gw-1", "gw-2"),
        assets=(), tags=(), tag_asset=number,
    )  # fmt: skip


def test_a_gateway_is_found_under_its_organization_and_facility(building: Building) -> None:
    twin = replace(building, key="acme/south/main", facility="south", gateways=("gw-1",))
    directory = StaticDirectory([building, twin])
    assert directory.building_of("acme", "north", "gw-1") == "acme/north/main"
    assert directory.building_of("acme", "south", "gw-1") == "acme/south/main"
    assert directory.building_of("acme", "south", "gw-2") is None
    assert directory.building_of("globex", "north", "gw-1") is None
    assert directory.keys == ["acme/north/main", "acme/south/main"]
    assert directory.building("acme/south/main") is twin


def test_state_of_a_building_that_is_gone_says_what_to_do(building: Building) -> None:
    with pytest.raises(RegistryError, match="has state in the recovery directory") as refused:
        StaticDirectory([building]).building("acme/north/annex")
    assert "load its site file again" in str(refused.value)
