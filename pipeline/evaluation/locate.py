"""Where the tags of a file of reads were, window by window, from what was heard until then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import survey_model
from pipeline.domain.belief import BeliefFilter, Where
from pipeline.domain.belief_likelihood import Heard
from pipeline.domain.belief_motion import Motion
from pipeline.domain.ellipse import radius_90_m
from pipeline.domain.geometry import Floats
from pipeline.domain.lattice import Lattice, bounds_around
from pipeline.domain.path_loss import Survey
from pipeline.domain.radio_field import RadioField
from pipeline.domain.survey_model import SurveyModel
from pipeline.evaluation.inputs import Reads, ReceiverTable, layers_of
from pipeline.evaluation.plan import Plan
from pipeline.evaluation.tiles import TILE_M, Tiles
from pipeline.evaluation.windows import Windows, cut

TAG_HEIGHT_M = 1.2
"""Of a tag above its floor when nobody says: a trolley, a pocket."""
MARGIN_M, LONE_MARGIN_M = 1.0, 8.0
"""How far outside the receivers a tag may be without a plan, at least; and around a lone one."""
STEP_S, MOST_STEPS = 0.35, 40
"""A window is taken in in steps: a walking tag is elsewhere half a second later."""
UNSURVEYED_SCALE = 1.05
NEAREST_DECADE_DB = 25.0
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Found:
    """One row a tag and window; NaN where nothing is known. `newest` indexes the reads."""

    tag: NDArray[np.int64]
    newest: NDArray[np.int64]
    place_m: Floats
    error90_m: Floats
    room: list[str]
    method: str
    receivers: NDArray[np.int64]
    reason: list[str]


@dataclass
class _Tile:
    filter: BeliefFilter
    scale: float


@dataclass
class Locator:
    """What is known of a building; `run` may be called once for a file of reads."""

    receivers: ReceiverTable
    survey: Survey | None
    plan: Plan
    height_m: float | None = None
    window_s: float = 1.0
    progress: Progress = lambda _what, _share: None

    def run(self, reads: Reads) -> Found:
        """One row for each tag and window in which it was heard."""
        parts = int(np.clip(np.ceil(self.window_s / STEP_S), 1, MOST_STEPS))
        rows_out, windows = cut(reads, self.window_s), cut(reads, self.window_s, parts)
        key = rows_out.slot * len(reads.tags) + rows_out.tag
        out_of = np.searchsorted(key, windows.slot // parts * len(reads.tags) + windows.tag)
        tiles = Tiles.over(self._bounds())
        made: dict[int, _Tile] = {}
        shared: list[Floats] = []
        rooms = self.plan.rooms
        place = np.full((len(rows_out), 3), np.nan)
        error, room = np.full(len(rows_out), np.nan), [""] * len(rows_out)
        heard_by = (windows.receiver >= 0).sum(axis=1)
        for rows in windows.by_slot():
            some = np.arange(rows.start, rows.stop)[heard_by[rows] > 0]
            if not len(some):
                continue
            of = self._assign(tiles, made, windows, some)
            for tile in np.unique(of).tolist():
                if tile not in made:
                    made[tile] = self._tile(tiles.boxes_m[tile], shared)
                here = some[of == tile]
                where = made[tile].filter.advance(self._heard(reads, windows, here))
                out = out_of[here]
                place[out] = where.mean_m
                error[out] = made[tile].scale * radius_90_m(where.cxx, where.cxy, where.cyy)
                for i, name in zip(out.tolist(), _rooms(where, rooms), strict=True):
                    room[i] = name
            self.progress("locate", rows.stop / len(windows))
        heard_by = (rows_out.receiver >= 0).sum(axis=1)
        method = "belief" if self.survey is None else "belief+survey"
        reason = [_reason(int(n), float(e)) for n, e in zip(heard_by, error, strict=True)]
        return Found(rows_out.tag, rows_out.newest, place, error, room, method, heard_by, reason)

    def _assign(
        self, tiles: Tiles, made: dict[int, _Tile], windows: Windows, some: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The tile of each row; a tag that changes tiles is forgotten by the old one."""
        if len(tiles.boxes_m) == 1:
            return np.zeros(len(some), dtype=np.int64)
        of = np.empty(len(some), dtype=np.int64)
        for i, row in enumerate(some.tolist()):
            tag, on = int(windows.tag[row]), windows.receiver[row] >= 0
            level = windows.rssi_dbm[row, on]
            weight = 10.0 ** ((level - level.max()) / NEAREST_DECADE_DB)
            near = self.receivers.position_m[windows.receiver[row, on], :2]
            of[i], changed = tiles.tile_of(tag, weight @ near / weight.sum())
            if changed:
                for tile in made.values():
                    tile.filter.forget(tag)
        return of

    def _heard(self, reads: Reads, windows: Windows, rows: NDArray[np.int64]) -> Heard:
        width = max(1, int((windows.receiver[rows] >= 0).sum(axis=1).max()))
        return Heard(
            windows.tag[rows],
            reads.time_s[windows.newest[rows]],
            windows.receiver[rows, :width],
            windows.rssi_dbm[rows, :width],
        )

    def _tile(self, box_m: Floats, shared: list[Floats]) -> _Tile:
        lattice = Lattice.over(box_m, self._layers())
        known = self.receivers.position_m
        if self.survey is not None:
            known = np.concatenate([known, self.survey.place_m])
        lattice = lattice.weighted(self.plan.weight(lattice, known))
        labels = self.plan.labels(lattice)
        loss = self.plan.loss_db(lattice, self.receivers.position_m)
        field = RadioField.unsurveyed(lattice, self.receivers.position_m, loss)
        if not shared:
            shared.append(np.zeros(len(field)))
        model = self._surveyed(field, box_m)
        if model is None:
            tracker, scale = BeliefFilter(field, Motion(), learned=shared[0]), UNSURVEYED_SCALE
        else:
            tracker, scale = model.filter(), model.error_scale
        tracker.labels = labels
        return _Tile(tracker, scale)

    def _surveyed(self, field: RadioField, box_m: Floats) -> SurveyModel | None:
        """A model of the survey's rows in and around this tile; None where there are none."""
        if self.survey is None:
            return None
        near = self.survey.place_m[:, :2]
        inside = ((near >= box_m[0] - TILE_M / 4) & (near <= box_m[1] + TILE_M / 4)).all(axis=1)
        if not inside.any():
            return None
        return survey_model.fit(
            self.survey.rows(inside), self.receivers.position_m, field, min(self.window_s, STEP_S),
            lambda text: self.progress(text, 0.0),
        )  # fmt: skip

    def _layers(self) -> Floats:
        """Heights at which a tag may be, one for each floor."""
        above = TAG_HEIGHT_M if self.height_m is None else self.height_m
        if self.survey is not None:
            return layers_of(self.survey.place_m[:, 2])
        if self.plan.elevations_m is not None:
            return self.plan.elevations_m + above
        floors = layers_of(self.receivers.position_m[:, 2])
        layers: Floats = floors - floors[0] + above
        return layers

    def _bounds(self) -> Floats:
        receivers = self.receivers.position_m[:, :2]
        points = [receivers]
        if self.survey is not None:
            points.append(self.survey.place_m[:, :2])
        if len(self.plan.corners_m):
            return bounds_around(np.concatenate([*points, self.plan.corners_m]), 0.3)
        low, high = receivers.min(axis=0), receivers.max(axis=0)
        if self.survey is not None:
            return bounds_around(np.concatenate(points), MARGIN_M)
        # Places drawn evenly from a room leave about this much of it uncovered on either side.
        margin = LONE_MARGIN_M
        if len(receivers) > 1 and (high - low).max() > MARGIN_M:
            margin = max(MARGIN_M, float((high - low).mean()) / (len(receivers) - 1))
        return bounds_around(receivers, margin)


def _rooms(where: Where, names: tuple[str, ...]) -> list[str]:
    """The room that holds most of the belief; "" when none holds more than what is outside all."""
    if not names:
        return [""] * len(where.mean_m)
    outside = 1.0 - where.masses.sum(axis=1)
    best = where.masses.argmax(axis=1)
    most = where.masses.max(axis=1)
    return [names[i] if m > o else "" for i, m, o in zip(best, most, outside, strict=True)]


def _reason(receivers: int, error90_m: float) -> str:
    if not receivers:
        return "no known receiver heard it"
    heard = "1 receiver" if receivers == 1 else f"{receivers} receivers"
    return f"{heard}, 90 % within {error90_m:.1f} m"
