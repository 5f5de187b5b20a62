"""The state of a building as bytes for the database: what history is computed again from.

MessagePack of plain columns, deflated; never pickle, because what lies in a database is input.
"""

from __future__ import annotations

import zlib
from dataclasses import fields
from typing import Any

import msgpack
import numpy as np

from pipeline.domain.fences import Fences
from pipeline.domain.floorplan import Alignment
from pipeline.domain.tracking import BuildingState
from pipeline.domain.tracks import Tracks
from pipeline.flow.errors import CheckpointError

VERSION = 1
_DTYPES = ("<i8", "<f8", "|b1")
_FAST = 1


def encode(alignment: Alignment, state: BuildingState) -> bytes:
    """`state` and the ids that its indices refer to."""
    content = {
        "version": VERSION,
        "alignment": {f.name: list(getattr(alignment, f.name)) for f in fields(alignment)},
        "tracks": _columns(state.tracks),
        "fences": _columns(state.fences),
    }
    return zlib.compress(msgpack.packb(content), _FAST)


def decode(data: bytes) -> tuple[Alignment, BuildingState]:
    """The inverse of `encode`. Raises CheckpointError."""
    try:
        content = msgpack.unpackb(zlib.decompress(data))
        if content.get("version") != VERSION:
            raise CheckpointError(f"it has version {content.get('version')!r}, not {VERSION}")
        ids = {name: tuple(values) for name, values in content["alignment"].items()}
        tracks = {name: _array(*column) for name, column in content["tracks"].items()}
        fences = {name: _array(*column) for name, column in content["fences"].items()}
        return Alignment(**ids), BuildingState(Tracks(**tracks), Fences(**fences))
    except (zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"it cannot be read: {error}") from None


def _columns(state: Tracks | Fences) -> dict[str, Any]:
    return {f.name: _column(getattr(state, f.name)) for f in fields(state)}


def _column(array: Any) -> tuple[str, list[int], bytes]:
    return array.dtype.str, list(array.shape), array.tobytes()


def _array(dtype: str, shape: list[int], data: bytes) -> Any:
    if dtype not in _DTYPES:
        raise ValueError(f"a column of type {dtype!r:.20}")
    return np.frombuffer(data, dtype=dtype).reshape(shape)
