"""A building's state as few bytes: what the engine stores in every epoch.

Times lie on the grid of windows and become 32-bit numbers, indices become 16-bit ones, and of the
fences only the pairs of zone and asset that have a story are kept. What does not fit stays as it
is, so nothing is lost: `unpacked(packed(state))` is the state to the last bit.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.evidence import Evidence
from pipeline.domain.fences import Fences
from pipeline.domain.floorplan import NOWHERE
from pipeline.domain.silence import Ears
from pipeline.domain.tracking import BuildingState
from pipeline.domain.tracks import NEVER_US, Tracks

_NEVER = np.iinfo(np.int32).min
_PLAIN, _WINDOWS = "plain", "windows"
_SLOTTED = ("receiver", "mean_dbm", "count")
_BY_ASSET = ("age", "unrest", "noise_db2")
Packed = dict[str, Any]
_Column = tuple[str, NDArray[Any]]


def packed(state: BuildingState, base_us: int, window_us: int) -> Packed:
    """`base_us`: the end of a window, near to the times in the state."""
    grid = (0 if base_us == NEVER_US else base_us, window_us)
    fences = {f.name: getattr(state.fences, f.name) for f in fields(Fences)}
    untold = Fences.empty(1, 1)
    told = np.zeros(state.fences.phase.shape, dtype=bool)
    for name, column in fences.items():
        told |= column != getattr(untold, name)[0, 0]
    which = np.flatnonzero(told)
    return {
        "grid": grid,
        "tracks": {
            f.name: _pack(f.name, getattr(state.tracks, f.name), grid) for f in fields(Tracks)
        },
        "fences": {name: _pack(name, col.ravel()[which], grid) for name, col in fences.items()},
        "fences_at": which.astype(np.int32),
        "fences_shape": told.shape,
        "evidence": _evidence(state.evidence),
        "ears": _ears(state.ears),
    }


def unpacked(content: Packed) -> BuildingState:
    """The inverse of `packed`."""
    grid = content["grid"]
    tracks = {name: _unpack(column, grid) for name, column in content["tracks"].items()}
    zones, assets = content["fences_shape"]
    fences = {}
    for name, column in content["fences"].items():
        whole = getattr(Fences.empty(zones, assets), name)
        whole.ravel()[content["fences_at"]] = _unpack(column, grid)
        fences[name] = whole
    ears = {name: _unpack(column, grid) for name, column in content["ears"].items()}
    evidence = _with_evidence(content["evidence"])
    return BuildingState(Tracks(**tracks), Fences(**fences), evidence, Ears(**ears))


def with_no_evidence(content: Packed, receivers: int) -> Packed:
    """A state packed before there was evidence, with none."""
    _, assets = content["fences_shape"]
    ears = Ears.empty(receivers)
    return content | {
        "evidence": _evidence(Evidence.empty(assets)),
        "ears": _ears(ears),
    }


def _ears(ears: Ears) -> Packed:
    return {f.name: (_PLAIN, getattr(ears, f.name).copy()) for f in fields(ears)}


def _evidence(evidence: Evidence) -> Packed:
    """Columns as they are; of the slots only those in use."""
    used = np.flatnonzero(evidence.receiver.ravel() != NOWHERE)
    return {
        "width": evidence.receiver.shape[1],
        "used": used.astype(np.int32),
        "slots": {name: getattr(evidence, name).ravel()[used] for name in _SLOTTED},
        "assets": {name: getattr(evidence, name).copy() for name in _BY_ASSET},
    }


def _with_evidence(content: Packed) -> Evidence:
    assets = content["assets"]
    whole = Evidence.empty(len(assets["age"]))
    if content["width"] != whole.receiver.shape[1]:  # of a version that remembered more or fewer
        return whole
    for name, values in content["slots"].items():
        getattr(whole, name).ravel()[content["used"]] = values
    return replace(whole, **{name: column.copy() for name, column in assets.items()})


def _pack(name: str, column: NDArray[Any], grid: tuple[int, int]) -> _Column:
    if column.dtype != np.int64:
        return _PLAIN, column.copy()
    if name.endswith("_us"):
        base_us, window_us = grid
        number, rest = np.divmod(column - base_us, window_us)
        never = column == NEVER_US
        limit = np.iinfo(np.int32).max
        if ((rest == 0) & (np.abs(number) <= limit) | never).all():
            return _WINDOWS, np.where(never, _NEVER, number).astype(np.int32)
        return _PLAIN, column.copy()
    small = column.astype(np.int16)
    return _PLAIN, small if np.array_equal(small, column) else column.copy()


def _unpack(packed_column: _Column, grid: tuple[int, int]) -> NDArray[Any]:
    kind, column = packed_column
    if kind == _WINDOWS:
        base_us, window_us = grid
        times = column.astype(np.int64) * window_us + base_us
        return np.where(column == _NEVER, NEVER_US, times)
    return column.astype(np.int64) if column.dtype.kind == "i" else column.copy()
