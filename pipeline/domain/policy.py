"""The thresholds of tracking, fences and utilization: one place, each with its unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Defaults suit a hospital with a receiver every 60 m2; a site may override each."""

    tag_height_m: float = 1.0
    """Height of a tag above its floor: a prior that also helps x and y."""
    slab_loss_db: float = 15.0
    """Attenuation of one floor slab."""
    least_shadow_db: float = 2.0
    """What averaging over a stand cannot remove, at least."""
    moving_diffusion_m2_per_s: float = 6.0
    """How fast the belief widens about a tag that may be moving."""
    diffusion_limit_s: float = 100.0
    error_scale: float = 0.7
    """The reported covariance is the posterior's times this, times one plus its trace over ..."""
    error_doubles_m2: float = 6.0
    """... this, and at most so many times. Chosen so that nine of ten truths lie in the 90 %
    ellipse in simulated hospitals, and still do with half of their receivers."""
    error_scale_max: float = 4.0
    young_windows: int = 25
    """A tag that has just come to rest is watched more closely ..."""
    young_restless: float = 2.5
    """... and has moved when its reads differ from their mean by this (see evidence.unrest) ..."""
    restless: float = 8.0
    """... and later by this."""
    stand_windows: int = 6
    """A tag whose reads have not changed for so long stands: it is held."""
    restand_windows: int = 600
    """A standing tag is solved anew from all its reads at least this often."""
    stand_sigma_m: float = 8.0
    """How far from the last position a standing tag is looked for."""
    search_m: float = 12.0
    lost_misfit: float = 3.0
    """Squared residual, in sigmas, at which the last position is no longer believed."""
    best_sensitivity_dbm: float = -95.0
    """No receiver is taken to hear fainter tags than this, half of the time."""
    scan_share: float = 0.85
    """The chance that a receiver catches a strong tag in one window ..."""
    stand_scan_share: float = 0.97
    """... and in many."""
    alive_s: float = 15.0
    """A receiver that has heard nobody for so long says nothing by its silence."""
    offset_sigma_db: float = 2.0
    """How much tags differ in transmit power and mounting."""
    offset_diffusion_db2_per_s: float = 0.01
    first_sight_sigma_m: float = 6.0

    floor_margin_db: float = 3.0
    floor_streak: int = 2
    """Windows in a row in which another floor must win when the asset moves ..."""
    floor_streak_still: int = 8
    """... and when it stands."""
    room_margin: float = 0.1
    """A challenging room needs this much more probability than the present one when the asset
    moves ..."""
    room_margin_still: float = 0.4
    """... and this much when it stands: what has not moved has not changed rooms ..."""
    room_streak_still: int = 4
    """... in this many windows in a row when the asset stands still ..."""
    room_streak_moving: int = 2
    """... and in this many when it moves: it is expected to change rooms."""
    room_streak_walls: int = 1
    """A room that no door joins to the present one needs one window more for each room between, up
    to this many: nothing walks through walls, so one of the two was wrong."""
    departed_after_s: float = 120.0
    """A tag unheard for this long has left its room: its visit ends when it was last heard."""

    row_every_s: float = 30.0
    """A tag that stands still gets a row at least this often; one that moves, one a window."""

    use_dwell_s: float = 60.0
    """Presence in a room counts as a change of use after this long."""
    unknown_after_s: float = 300.0
    """A tag unheard for this long is in use state UNKNOWN, which never counts as idle."""
