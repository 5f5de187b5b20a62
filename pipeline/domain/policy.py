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
    sigma_inflation: float = 1.25
    """Shadowing does not average out from window to window: residuals count for less.

    Chosen on the survey rows of the `flat` set so that the 90 % ellipse holds the truth."""
    still_diffusion_m2_per_s: float = 0.1
    """How fast the belief widens about a tag that stands still ..."""
    moving_diffusion_m2_per_s: float = 9.0
    """... and about one that is being moved: each window weighs the two against each other."""
    move_penalty: float = 1.0
    """How much better, in log likelihood, "it was moved" must explain the reads of a still tag."""
    hold_diffusion_m2_per_s: float = 1.0
    """Widening used to ask whether the last position still explains the reads."""
    diffusion_limit_s: float = 100.0
    offset_sigma_db: float = 2.0
    """How much tags differ in transmit power and mounting."""
    offset_diffusion_db2_per_s: float = 0.01
    first_sight_sigma_m: float = 6.0
    hold_m: float = 0.25
    hold_share: float = 0.1
    """A tag that one step would move less than hold_m, or than this share of its standard error,
    is not solved again."""

    floor_margin_db: float = 3.0
    floor_streak: int = 3
    room_margin: float = 0.1
    """A challenging room needs this much more probability than the present one ..."""
    room_streak_still: int = 4
    """... in this many windows in a row when the asset stands still ..."""
    room_streak_moving: int = 2
    """... and in this many when it moves: it is expected to change rooms."""
    departed_after_s: float = 120.0
    """A tag unheard for this long has left its room: its visit ends when it was last heard."""

    row_every_s: float = 30.0
    """A tag that stands still gets a row at least this often; one that moves, one a window."""
    rest_m: float = 1.5
    rest_s: float = 5.0
    """A tag that stays within rest_m for rest_s is not moving."""

    use_dwell_s: float = 60.0
    """Presence in a room counts as a change of use after this long."""
    unknown_after_s: float = 300.0
    """A tag unheard for this long is in use state UNKNOWN, which never counts as idle."""
