"""Bytes to messages and back. Sans-I/O; every failure is a MessageError with a reason."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgpack
from pydantic import ValidationError

from pipeline.contracts.base import MAX_MESSAGE_BYTES, SCHEMA_VERSION, Message
from pipeline.contracts.errors import MessageError
from pipeline.contracts.reads import (
    COLUMNS,
    MAX_READS,
    NO_RSSI,
    Kind,
    Read,
    ReadBatch,
    ReadBatchRows,
    to_us,
)

M = TypeVar("M", bound=Message)
_KINDS = {"ble": Kind.BLE, "rfid": Kind.RFID, "other": Kind.OTHER}
_OFFSET_LIMIT = 2**32


def encode_json(message: Message) -> bytes:
    return message.model_dump_json().encode()


def decode_json(model: type[M], payload: bytes) -> M:
    """Raises MessageError: too_large, wrong_version, malformed."""
    _check_size(payload)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise _refusal(error) from None


def encode_batch(batch: ReadBatch) -> bytes:
    """MessagePack. The inverse of decode_batch."""
    packed: bytes = msgpack.packb(batch.model_dump(), use_bin_type=True)
    return packed


def with_oldest(payload: bytes, oldest: int) -> bytes:
    """The same MessagePack batch with another `oldest`: it is only known when it is sent."""
    fields = msgpack.unpackb(payload)
    fields["oldest"] = oldest
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def decode_batch(payload: bytes) -> ReadBatch:
    """MessagePack columns or JSON rows, told apart by the first byte.

    Raises MessageError: empty, too_large, wrong_version, malformed.
    """
    _check_size(payload)
    if not payload:
        raise MessageError("empty", "the message has no bytes")
    if payload[:1] == b"{":
        return columns_from_rows(decode_json(ReadBatchRows, payload))
    try:
        fields = msgpack.unpackb(payload)
    except Exception as error:  # msgpack raises half a dozen unrelated types
        raise MessageError("malformed", f"neither MessagePack nor JSON: {error!r}"[:300]) from None
    if not isinstance(fields, Mapping):
        raise MessageError("malformed", "the MessagePack value is not a map")
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise MessageError("wrong_version", f"schema_version {fields.get('schema_version')!r:.40}")
    try:
        return ReadBatch.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error) from None


def columns_from_rows(rows: ReadBatchRows) -> ReadBatch:
    """JSON rows as columns; order is kept."""
    times = [to_us(read.at) for read in rows.reads]
    envelope = rows.model_dump(exclude={"reads"})
    return build_batch(
        envelope,
        tags=[read.tag for read in rows.reads],
        receivers=[read.receiver for read in rows.reads],
        time_us=times,
        rssi_cdbm=[_cdbm(read.rssi_dbm) for read in rows.reads],
        peak_cdbm=[_cdbm(_peak(read)) for read in rows.reads],
        count=[read.count for read in rows.reads],
        kind=[_KINDS[read.kind] for read in rows.reads],
    )


def build_batch(
    envelope: Mapping[str, Any],
    *,
    tags: Sequence[str],
    receivers: Sequence[str],
    time_us: Sequence[int],
    rssi_cdbm: Sequence[int],
    peak_cdbm: Sequence[int],
    count: Sequence[int],
    kind: Sequence[int],
) -> ReadBatch:
    """A batch from one entry a read (plain sequences of equal length).

    Raises MessageError when the reads span more than 71 minutes or are too many.
    """
    if len(kind) > MAX_READS:
        raise MessageError("too_large", f"{len(kind)} reads, at most {MAX_READS}")
    start_us = min(time_us, default=int(envelope["until_us"]))
    if time_us and max(time_us) - start_us >= _OFFSET_LIMIT:
        raise MessageError("malformed", "the reads of one batch span more than 71 minutes")
    tag_names, tag_index = _distinct(tags)
    receiver_names, receiver_index = _distinct(receivers)
    values: dict[str, Sequence[int]] = {
        "tag_index": tag_index,
        "receiver_index": receiver_index,
        "offset_us": [at - start_us for at in time_us],
        "rssi_cdbm": rssi_cdbm,
        "peak_cdbm": peak_cdbm,
        "count": count,
        "kind": kind,
    }
    columns = {name: struct.pack(f"<{len(kind)}{COLUMNS[name]}", *v) for name, v in values.items()}
    return ReadBatch.model_validate(
        dict(envelope)
        | {"start_us": start_us, "tags": tag_names, "receivers": receiver_names}
        | columns
    )


def _distinct(names: Sequence[str]) -> tuple[list[str], array[int]]:
    seen: dict[str, int] = {}
    index = array("H", (seen.setdefault(name, len(seen)) for name in names))
    return list(seen), index


def _peak(read: Read) -> float | None:
    return read.rssi_dbm if read.peak_dbm is None else read.peak_dbm


def _cdbm(dbm: float | None) -> int:
    return NO_RSSI if dbm is None else round(dbm * 100)


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError("too_large", f"{len(payload)} bytes, at most {MAX_MESSAGE_BYTES}")


def _refusal(error: ValidationError) -> MessageError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "message"
    reason = "wrong_version" if first["loc"] == ("schema_version",) else "malformed"
    return MessageError(reason, f"{where}: {first['msg']} ({error.error_count()} in all)"[:300])
