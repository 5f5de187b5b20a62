"""Walks: exact, inside rooms, through doors, at walking speed, with the promised offences."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.geometry import contains, crossings
from pipeline.simulation.hospital import build_hospital
from pipeline.simulation.scenario import MICROSECONDS, HospitalPlan, Scenario, demo
from pipeline.simulation.truth import Truth
from pipeline.simulation.walks import build_walks


def legs(walks):
    """Index of the first breakpoint of every leg."""
    return np.nonzero(walks.asset[1:] == walks.asset[:-1])[0]


def test_same_seed_same_walks_and_a_longer_walk_begins_with_the_shorter(hospital, walks):
    shorter = build_walks(hospital, 120)
    at = np.arange(0, 120 * MICROSECONDS, 333_333)
    again = build_walks(build_hospital(demo(seed=3)), 600)
    assert (again.xyz_m == walks.xyz_m).all()
    assert (again.t_us == walks.t_us).all()
    assert (shorter.positions(at) == walks.positions(at)).all()
    assert (build_walks(build_hospital(demo(seed=4)), 120).positions(at) != 0).any()


def test_no_leg_crosses_a_wall(hospital, walks):
    first = legs(walks)
    floor = hospital.space_floor[walks.space]
    crossed = 0
    for level in range(hospital.scenario.hospital.floors):
        walls = [wall for wall in hospital.walls if wall.floor == level]
        here = first[(floor[first] == level) & (floor[first + 1] == level)]
        moved = here[(walks.xyz_m[here, :2] != walks.xyz_m[here + 1, :2]).any(axis=1)]
        crossed += crossings(
            walks.xyz_m[moved, :2],
            walks.xyz_m[moved + 1, :2],
            np.array([wall.start for wall in walls]),
            np.array([wall.end for wall in walls]),
        ).sum()
        assert len(moved) > 100
    assert crossed == 0


def test_every_asset_is_always_inside_the_room_it_is_said_to_be_in(hospital, walks):
    where, space = walks.locate(np.arange(0, walks.end_us, 1_700_003))
    for i, room in enumerate(hospital.spaces):
        points = where[space == i]
        x0, y0, x1, y1 = room.box
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        low = hospital.elevation_m(room.floor)
        assert contains(corners, points[:, :2]).all(), room.code
        if not room.code.startswith("lifts"):
            assert ((points[:, 2] > low) & (points[:, 2] < low + 2)).all()


def test_nothing_is_faster_than_a_brisk_walk(walks):
    first = legs(walks)
    metres = np.linalg.norm(walks.xyz_m[first + 1] - walks.xyz_m[first], axis=1)
    seconds = (walks.t_us[first + 1] - walks.t_us[first]) / MICROSECONDS
    long = metres > 0.01
    assert (metres[long] / seconds[long]).max() <= 1.5
    assert (np.diff(walks.t_us)[first] > 0).all()


def test_some_assets_change_floors_and_ride_the_lift(hospital, walks):
    floor = hospital.space_floor[walks.space]
    first = legs(walks)
    changes = first[floor[first] != floor[first + 1]]
    assert len(changes) > 5
    assert all(hospital.spaces[i].code.startswith("lifts") for i in walks.space[changes])


def test_positions_are_linear_between_breakpoints_and_stand_still_outside(walks):
    i = int(legs(walks)[40])
    asset, middle = int(walks.asset[i]), int(walks.t_us[i] + walks.t_us[i + 1]) // 2
    at = walks.positions([middle])[asset, 0]
    share = (middle - walks.t_us[i]) / (walks.t_us[i + 1] - walks.t_us[i])
    assert at == pytest.approx(walks.xyz_m[i] + share * (walks.xyz_m[i + 1] - walks.xyz_m[i]))
    ends = walks.positions([-5, 0, walks.end_us, walks.end_us + 10**9])
    assert (ends[:, 0] == ends[:, 1]).all()
    assert (ends[:, 2] == ends[:, 3]).all()


def test_visits_follow_each_other_without_a_gap(walks):
    visits = walks.visits
    same = visits.asset[1:] == visits.asset[:-1]
    assert (visits.left_us[:-1][same] == visits.entered_us[1:][same]).all()
    assert (visits.left_us[:-1][~same] == -1).all()
    assert visits.left_us[-1] == -1
    assert (visits.space[1:][same] != visits.space[:-1][same]).all()


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_demo_of_60_s_has_two_offences_a_pass_and_patient_stays(seed):
    hospital = build_hospital(demo(seed))
    truth = Truth.of(hospital, build_walks(hospital, 60), 10**15, 60)
    stays = [
        (entry.left_us - entry.entered_us) / MICROSECONDS
        for entry in truth.zone_entries()
        if entry.rule and entry.left_us is not None
    ]
    ended_early = [
        entry
        for entry in truth.zone_entries()
        if entry.rule and entry.left_us and entry.left_us < 10**15 + 53 * MICROSECONDS
    ]
    assert sum(stay >= 15 for stay in stays) >= 2
    assert sum(stay < 2 for stay in stays) >= 1
    assert all(stay >= 15 or stay < 2 for stay in stays)
    assert len(ended_early) >= 3
    assert sum(v.left_us is not None for v in truth.visits("patient")) >= 10
    assert any(v.left_us and v.entered_us > 10**15 for v in truth.visits("patient"))


def test_over_a_longer_time_every_offence_is_clearly_long_or_clearly_short(hospital, walks):
    truth = Truth.of(hospital, walks, 0, 600)
    stays = [
        (entry.left_us - entry.entered_us) / MICROSECONDS
        for entry in truth.zone_entries()
        if entry.rule and entry.left_us is not None
    ]
    assert len(stays) > 10
    assert all(stay >= 15 or stay < 2 for stay in stays)


def test_pace_compresses_stays_and_not_the_walking_speed():
    plan = HospitalPlan(assets=12)
    real, fast = (
        build_walks(build_hospital(Scenario(seed=1, pace=pace, hospital=plan)), 3600)
        for pace in (1.0, 60.0)
    )
    assert len(fast.visits) > 10 * len(real.visits)
    for walks in (real, fast):
        first = legs(walks)
        gap = walks.xyz_m[first + 1, :2] - walks.xyz_m[first, :2]
        metres, seconds = np.linalg.norm(gap, axis=1), np.diff(walks.t_us)[first] / MICROSECONDS
        assert 1.05 < np.median(metres[metres > 1] / seconds[metres > 1]) < 1.35


@pytest.mark.parametrize(("floors", "rooms"), [(1, 4), (4, 10)])
def test_other_sizes_can_be_walked(floors, rooms):
    plan = HospitalPlan(floors=floors, rooms_per_corridor=rooms, assets=15)
    hospital = build_hospital(Scenario(seed=2, pace=60, hospital=plan))
    assert len(build_walks(hospital, 300).visits) > 30
