"""The state of a building as bytes for the database: what history is computed again from.

MessagePack of plain columns, deflated; never pickle, because what lies in a database is input.
"""

from __future__ import annotations

import zlib
from dataclasses import fields
from typing import Any

import msgpack
import numpy as np

from pipeline.domain.floorplan import Alignment
from pipeline.domain.tracking import BuildingState
from pipeline.flow.errors import CheckpointError
from pipeline.flow.packing import packed, unpacked, with_no_evidence

VERSION = 2
_DTYPES = ("<i8", "<i4", "<i2", "<f8", "|b1", "<f4")
_FAST = 1


def encode(alignment: Alignment, state: BuildingState, at_us: int, window_us: int) -> bytes:
    """`state` at the end of a window, and the ids that its indices refer to."""
    content = {
        "version": VERSION,
        "alignment": {f.name: list(getattr(alignment, f.name)) for f in fields(alignment)},
        "state": packed(state, at_us, window_us),
    }
    return zlib.compress(msgpack.packb(content, default=_from_array), _FAST)


def decode(data: bytes) -> tuple[Alignment, BuildingState]:
    """The inverse of `encode`. Raises CheckpointError."""
    try:
        content = msgpack.unpackb(zlib.decompress(data), ext_hook=_to_array)
        version, state = content.get("version"), content["state"]
        if version not in (1, VERSION):
            raise CheckpointError(f"it has version {version!r}, not {VERSION}")
        ids = {name: tuple(values) for name, values in content["alignment"].items()}
        if version == 1:
            state = with_no_evidence(state, len(ids["receivers"]))
        return Alignment(**ids), unpacked(state)
    except (zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"it cannot be read: {error}") from None


def _from_array(array: Any) -> msgpack.ExtType:
    """A one-dimensional array: its type is the number of the extension."""
    return msgpack.ExtType(_DTYPES.index(array.dtype.str), array.tobytes())


def _to_array(code: int, data: bytes) -> Any:
    if not 0 <= code < len(_DTYPES):
        raise ValueError(f"a column of type {code}")
    return np.frombuffer(data, dtype=_DTYPES[code])
