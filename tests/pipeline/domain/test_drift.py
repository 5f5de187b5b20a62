"""A receiver that was changed is reported, once; what changes for all or for a few tags is not."""

from __future__ import annotations

import numpy as np

from pipeline.domain.drift import Drift

RECEIVERS = 12


class Site:
    """Residuals of 40 tags at 12 receivers: shadowing of each pair, and noise."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)
        self.state = Drift.empty(RECEIVERS)
        self.begun: list[int] = []
        self.ended: list[int] = []

    def live(self, rounds: int, shift_db: np.ndarray | float = 0.0) -> None:
        """Each round other tags are near: their shadowing is drawn again."""
        for _ in range(rounds):
            receiver = self.rng.integers(RECEIVERS, size=40)
            residual = self.rng.normal(0, 6, 40) + np.broadcast_to(shift_db, RECEIVERS)[receiver]
            self.state, found = self.state.watch(receiver, residual)
            self.begun += found.begins.tolist()
            self.ended += found.ends.tolist()


def test_an_unplugged_antenna_is_reported_once_and_its_repair_too():
    site, cut = Site(), np.zeros(RECEIVERS)
    cut[7] = -12.0
    site.live(400)
    assert site.begun == []
    site.live(100, cut)
    assert site.begun == [7]
    assert site.state.shift_db[7] < -8
    site.live(200)
    assert (site.begun, site.ended) == ([7], [7])


def test_a_quiet_year_raises_no_alarm():
    site = Site()
    site.live(5000)
    assert site.begun == []


def test_what_happens_to_all_is_no_damage():
    site = Site()
    site.live(400)
    site.live(200, -9.0)
    assert site.begun == []


def test_a_receiver_that_is_new_has_no_past_to_leave():
    site = Site()
    site.live(20, -30.0)
    assert site.begun == []


def test_nothing_and_no_numbers():
    state, found = Drift.empty(3).watch(np.array([0, 1]), np.array([np.nan, np.inf]))
    assert found.begins.tolist() == []
    assert np.isfinite(state.shift_db).all()
