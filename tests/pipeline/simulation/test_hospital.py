"""The site file of the simulated hospital: valid, complete, seeded, scalable."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.geometry import contains, crossings
from pipeline.registry.site_file import parse_site
from pipeline.simulation.hospital import build_hospital
from pipeline.simulation.scenario import HospitalPlan, Scenario, demo


def test_the_site_file_validates_and_is_what_was_promised(hospital):
    site = parse_site(hospital.site.model_dump(mode="json"))
    (building,) = site.buildings
    kinds = {room.kind for floor in building.floors for room in floor.rooms}
    receivers = [r for gateway in building.gateways for r in gateway.receivers]
    assert (site.organization.code, site.facility.code, building.code) == (
        "st-elmo",
        "general",
        "main",
    )
    assert len(building.floors) == 2
    assert sum(len(floor.rooms) for floor in building.floors) >= 24
    assert kinds >= {"patient", "treatment", "storage", "cleaning", "workshop", "corridor"}
    assert sum(r.kind == "ble" for r in receivers) >= 30
    assert len(building.gateways) == 4
    assert len(site.assets) >= 60
    assert sum(len(asset.tags) == 2 for asset in site.assets) > 0.8 * len(site.assets)
    assert {rule.zone for rule in site.rules} == {zone.code for zone in building.zones}


def test_same_seed_same_site_other_seed_other_site(hospital):
    assert build_hospital(demo(seed=3)).site == hospital.site
    assert build_hospital(demo(seed=4)).site != hospital.site


@pytest.mark.parametrize(
    ("floors", "rooms", "assets"), [(1, 4, 1), (2, 5, 12), (3, 12, 200), (6, 16, 1000)]
)
def test_every_size_validates(floors, rooms, assets):
    plan = HospitalPlan(floors=floors, rooms_per_corridor=rooms, assets=assets)
    hospital = build_hospital(Scenario(hospital=plan))
    assert len(hospital.fleet) == assets
    assert len(hospital.gateways) == 2 * floors


def test_a_plan_that_makes_no_hospital_is_refused():
    with pytest.raises(ValueError, match="4 rooms"):
        HospitalPlan(rooms_per_corridor=3)
    with pytest.raises(ValueError, match="pace"):
        Scenario(pace=0)


def test_rooms_tile_the_floor(hospital):
    plan = hospital.scenario.hospital
    rng = np.random.default_rng(0)
    points = rng.uniform((0, 0), (plan.length_m, plan.depth_m), (5000, 2))
    for floor in hospital.site.buildings[0].floors:
        times = sum(contains(np.array(room.polygon), points).astype(int) for room in floor.rooms)
        assert (times == 1).all()


def test_receivers_hang_in_the_room_they_name(hospital):
    (building,) = hospital.site.buildings
    rooms = {room.code: np.array(room.polygon) for f in building.floors for room in f.rooms}
    for gateway in building.gateways:
        for receiver in gateway.receivers:
            point = np.array([receiver.x_m, receiver.y_m])
            assert contains(rooms[receiver.room], point), receiver.name


def test_every_restricted_room_has_a_receiver_a_zone_and_a_portal(hospital):
    (building,) = hospital.site.buildings
    rooms = {room.code for f in building.floors for room in f.rooms if room.restricted}
    receivers = [r for gateway in building.gateways for r in gateway.receivers]
    assert rooms
    assert rooms == {zone.room for zone in building.zones}
    assert rooms <= {r.room for r in receivers if r.kind == "ble"}
    for room in rooms:
        pair = {r.name: r.room for r in receivers if r.name.startswith(f"portal-{room}/")}
        assert pair[f"portal-{room}/2"] == room
        assert pair[f"portal-{room}/1"].startswith("corridor")


def test_doors_are_gaps_and_walls_are_closed_beside_them(hospital):
    for door in hospital.doors:
        walls = [w for w in hospital.walls if w.floor == door.floor]
        a, b = (np.array([w.start for w in walls]), np.array([w.end for w in walls]))
        middle, step = np.array([door.x_m, door.y_m]), 0.3 * np.array(door.across)
        through = crossings((middle - step)[None], (middle + step)[None], a, b)
        assert not through.any(), door
        if not door.a.startswith("cross"):
            beside = middle + np.array([door.width_m / 2 + 0.05, 0.0])
            assert crossings((beside - step)[None], (beside + step)[None], a, b).any(), door


def test_nominal_radio_values_are_near_the_true_ones_but_not_them(hospital):
    receivers = hospital.receivers
    error = receivers.nominal_p0_dbm - receivers.p0_dbm
    assert 0.9 < error.std() < 2.1
    assert abs(error.mean()) < 0.8
