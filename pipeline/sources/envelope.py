"""A light look into a read batch: just enough to put messages in order of event time."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgpack
import numpy as np

from pipeline.contracts import codec
from pipeline.contracts.base import MAX_MESSAGE_BYTES
from pipeline.contracts.errors import MessageError

OLDEST_US = 1_420_070_400_000_000
FUTURE_US = 10_000_000
"""The flow believes no time outside these (pipeline.flow.arrival); a test keeps them equal."""
NEVER_US = -(2**62)
_U4 = np.dtype("<u4")
_WANTED = frozenset(
    ("boot", "sequence", "until_us", "sent_us", "clock", "start_us", "offset_us", "kind")
)


class Look(NamedTuple):
    """Which batch it is, and its event times with the gateway's clock correction, microseconds
    since 1970; NEVER_US: none.

    `until_us`: what the batch promises; `newest_us`: its newest read; `reads`: how many.
    """

    boot: str
    sequence: int
    until_us: int
    newest_us: int
    reads: int


class Looker:
    """Looks at one payload after the other; not thread-safe."""

    def __init__(self) -> None:
        self._unpacker = _unpacker()

    def look(self, payload: bytes, received_us: int) -> Look | None:
        """None: it is no batch. Never raises; whether a batch is valid is for the flow to say.

        Impossible times are NEVER_US.
        """
        try:
            found = _look(self._fields(payload), received_us)
        except Exception:  # whatever hostile bytes can raise in msgpack and numpy
            self._unpacker = _unpacker()  # with nothing left of it
            return None
        return found if 1 <= found.sequence < 2**62 else None

    def _fields(self, payload: bytes) -> dict[str, Any]:
        """The wanted fields; the lists of names are passed over, which takes a third of the time
        of unpacking them."""
        if len(payload) > MAX_MESSAGE_BYTES:
            raise MessageError("too_large", "")
        if payload[:1] in b"{ \t\r\n":
            return codec.decode_batch(payload).model_dump()
        unpacker, fields = self._unpacker, {}
        unpacker.feed(payload)
        for _ in range(unpacker.read_map_header()):
            key = unpacker.unpack()
            if key in _WANTED:
                fields[key] = unpacker.unpack()
            else:
                unpacker.skip()
        if unpacker.read_bytes(1):
            raise MessageError("malformed", "")
        return fields


def _unpacker() -> msgpack.Unpacker:
    return msgpack.Unpacker(max_map_len=1024, max_buffer_size=2 * MAX_MESSAGE_BYTES)


def _look(fields: dict[str, Any], received_us: int) -> Look:
    correction_us = fields["clock"].get("correction_us") or 0
    until_us, newest_us = fields["until_us"] + correction_us, NEVER_US
    if fields["offset_us"]:
        offset_us = np.frombuffer(fields["offset_us"], _U4)
        newest_us = fields["start_us"] + int(np.maximum.reduce(offset_us)) + correction_us
    sent_us = (fields.get("sent_us") or NEVER_US) + correction_us
    possible = max(until_us, newest_us, sent_us) <= received_us + FUTURE_US
    return Look(
        str(fields["boot"]),
        int(fields["sequence"]),
        until_us if possible and until_us >= OLDEST_US else NEVER_US,
        newest_us if possible and newest_us >= OLDEST_US else NEVER_US,
        len(fields["kind"]),
    )
