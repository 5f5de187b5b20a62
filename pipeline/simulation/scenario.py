"""What a simulated hospital is like: every number in one place, frozen, with its unit."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

MICROSECONDS = 1_000_000


def stream(seed: int, what: str, *index: int) -> np.random.Generator:
    """The random numbers of one purpose: they do not depend on what else is drawn."""
    return np.random.default_rng([seed, zlib.crc32(what.encode()), *index])


@dataclass(frozen=True)
class HospitalPlan:
    """The building and what stands in it. A floor is two rows of rooms around a core.

    The default floor is 60 x 24 m: rows of 8 rooms of 7.5 x 6 m, two corridors, a core between.
    """

    floors: int = 2
    rooms_per_corridor: int = 8
    assets: int = 66
    room_width_m: float = 7.5
    row_depth_m: float = 6.0
    corridor_width_m: float = 2.5
    core_depth_m: float = 7.0
    core_room_width_m: float = 9.0
    door_width_m: float = 1.25
    storey_m: float = 4.0
    clear_height_m: float = 3.0
    area_per_receiver_m2: float = 64.0
    receiver_height_m: float = 2.6
    rfid_share: float = 0.85
    """Share of the assets that wear an RFID tag too; all wear a BLE beacon."""

    def __post_init__(self) -> None:
        if self.floors < 1 or self.rooms_per_corridor < 4 or self.assets < 1:
            raise ValueError("a hospital needs a floor, 4 rooms along each corridor and an asset")

    @property
    def length_m(self) -> float:
        return self.rooms_per_corridor * self.room_width_m

    @property
    def depth_m(self) -> float:
        return 2 * (self.row_depth_m + self.corridor_width_m) + self.core_depth_m


@dataclass(frozen=True)
class WalkPlan:
    """How assets move. Dwell times are divided by the scenario's pace, these numbers are not."""

    speed_m_s: float = 1.2
    speed_spread: float = 0.1
    """Each move goes at a speed within this share of `speed_m_s`."""
    min_stay_s: float = 15.0
    lift_wait_s: float = 8.0
    lift_s_per_storey: float = 10.0
    home_floor_share: float = 0.85
    """Share of the moves that end on the asset's own floor."""
    first_incidents_s: tuple[float, ...] = (5.0, 8.0, 12.0)
    """When the first offenders set out, whatever the pace: two stay, one turns at the door."""
    incident_every_s: float = 3600.0
    """Mean time between later incidents at pace 1, and never less than `incident_least_s`."""
    incident_least_s: float = 20.0
    offence_s: tuple[float, float] = (16.0, 24.0)
    """How long an offender stays inside, uniform, at any pace."""
    offenders: int = 6


@dataclass(frozen=True)
class RadioPlan:
    """BLE propagation: RSSI = P0 - 10 n log10 d - walls - slabs + tag + shadowing + fading."""

    p0_dbm: float = -60.0
    p0_spread_db: float = 2.0
    """Between receivers: the true P0 of each is drawn around `p0_dbm`."""
    path_loss_exponent: float = 2.1
    exponent_spread: float = 0.08
    survey_error_db: float = 1.5
    """The site file's P0 of a receiver is the true one with this error."""
    wall_spread_db: float = 0.8
    """A wall's true loss differs from its material's by this."""
    slab_db: float = 15.0
    tag_spread_db: float = 1.5
    shadowing_db: float = 3.5
    shadowing_length_m: float = 1.8
    """Correlation exp(-d^2 / (2 L^2)): 1/e at 1.4 L."""
    shadowing_waves: int = 64
    fading_db: float = 2.5
    sensitivity_dbm: float = -92.0
    """Half of the adverts of this strength are lost; it takes `sensitivity_slope_db` to change."""
    sensitivity_slope_db: float = 1.2
    scan_share: float = 0.92
    """Share of strong adverts that a scanner catches at all."""
    advert_interval_s: float = 1.0
    advert_jitter_s: float = 0.1


@dataclass(frozen=True)
class PortalPlan:
    """UHF RFID readers at doors."""

    antenna_offset_m: float = 0.7
    antenna_height_m: float = 1.3
    range_m: float = 1.2
    round_s: float = 0.06
    """One inventory round of one antenna."""
    read_probability: float = 0.9
    """Per round at no distance; falls with (d / range)^4 and is nothing beyond the range."""
    wrong_side_probability: float = 0.03
    """Factor on the above for a tag on the other side of the wall."""
    rssi_at_range_dbm: float = -66.0


@dataclass(frozen=True)
class Scenario:
    """One seeded world. `pace` divides the time assets stay (60: an hour's stay takes a minute)."""

    seed: int = 1
    pace: float = 1.0
    hospital: HospitalPlan = field(default_factory=HospitalPlan)
    walks: WalkPlan = field(default_factory=WalkPlan)
    radio: RadioPlan = field(default_factory=RadioPlan)
    portals: PortalPlan = field(default_factory=PortalPlan)

    def __post_init__(self) -> None:
        if not self.pace > 0:
            raise ValueError("pace must be greater than 0")


def demo(seed: int = 1) -> Scenario:
    """A day in a few minutes: enough happens in 60 s to show moves, sessions and alerts."""
    return Scenario(seed=seed, pace=120.0)
