"""Bytes to messages and back. Sans-I/O; every failure is a MessageError with a reason."""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgpack
from pydantic import ValidationError

from pipeline.contracts.base import MAX_MESSAGE_BYTES, SCHEMA_VERSION, Message
from pipeline.contracts.errors import MessageError
from pipeline.contracts.reads import (
    COLUMNS,
    MAX_READS,
    MAX_SENSOR_VALUES,
    NO_RSSI,
    SENSOR_COLUMNS,
    Kind,
    Read,
    ReadBatch,
    ReadBatchRows,
    Vouch,
    to_us,
)

M = TypeVar("M", bound=Message)
_KINDS = {"ble": Kind.BLE, "rfid": Kind.RFID, "other": Kind.OTHER}
_OFFSET_LIMIT = 2**32
_read_batch: Callable[..., ReadBatch] = ReadBatch.__pydantic_validator__.validate_python
"""model_validate without its own checks of its options: 3 % of decoding a batch."""
_MAX_KEYS = 1024
"""Far more than any map of ours has; keeps the list of unknown keys short."""


def encode_json(message: Message) -> bytes:
    return message.model_dump_json().encode()


def decode_json(model: type[M], payload: bytes) -> M:
    """Raises MessageError: too_large, wrong_version, malformed.

    What is accepted can also be stored as it came: no zero character, no key twice, no NaN.
    """
    _check_size(payload)
    fields = _json_object(payload)
    _check_version(fields.get("schema_version", SCHEMA_VERSION))
    _check_keys(model, fields)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise _refusal(error) from None
    except ValueError as error:  # pydantic 2.9 on the year 0
        raise MessageError("malformed", f"{error}"[:300]) from None


class Measured(NamedTuple):
    """A value that a tag measured, before it is put into columns."""

    tag: str
    quantity: str
    at_us: int
    value: float


def encode_batch(batch: ReadBatch) -> bytes:
    """MessagePack. The inverse of decode_batch. Raises MessageError: too_large.

    Without sensor values the key is left out: older receivers refuse a key they do not know.
    """
    fields = batch.model_dump()
    if fields["sensors"] is None:
        del fields["sensors"]
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    _check_size(packed)
    return packed


def stamped(
    payload: bytes,
    *,
    oldest: int,
    sent_us: int,
    earlier: Mapping[str, int],
    correction_us: int | None = None,
) -> bytes:
    """The same MessagePack batch with what is only known when it is sent.

    Raises MessageError when `payload` is no MessagePack batch (it is not checked to the end).
    """
    fields = _unpack(payload)
    if "sequence" not in fields:
        raise MessageError("malformed", "not a read batch: it has no sequence")
    fields |= {"oldest": oldest, "sent_us": sent_us, "earlier": dict(earlier)}
    if correction_us is not None:
        fields["clock"]["correction_us"] = correction_us
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def decode_batch(payload: bytes, vouch: Vouch | None = None) -> ReadBatch:
    """MessagePack columns or JSON rows, told apart by the first byte.

    Names of tags for which `vouch` stands are not checked (it is asked about MessagePack only).
    Raises MessageError: empty, too_large, wrong_version, malformed. Of a key that comes twice in
    MessagePack the last counts.
    """
    _check_size(payload)
    if not payload:
        raise MessageError("empty", "the message has no bytes")
    if payload[:1] in b"{ \t\r\n":
        return columns_from_rows(decode_json(ReadBatchRows, payload))
    try:
        return _read_batch(_unpack(payload), context=vouch)
    except ValidationError as error:
        if vouch is not None:  # a name may be wrong too, and the first mistake is the one to tell
            return decode_batch(payload)
        raise _refusal(error) from None


def columns_from_rows(rows: ReadBatchRows) -> ReadBatch:
    """JSON rows as columns; order is kept."""
    times = [to_us(read.at) for read in rows.reads]
    envelope = rows.model_dump(exclude={"reads", "sensors"})
    return build_batch(
        envelope,
        tags=[read.tag for read in rows.reads],
        receivers=[read.receiver for read in rows.reads],
        time_us=times,
        rssi_cdbm=[_cdbm(read.rssi_dbm) for read in rows.reads],
        peak_cdbm=[_cdbm(_peak(read)) for read in rows.reads],
        count=[read.count for read in rows.reads],
        kind=[_KINDS[read.kind] for read in rows.reads],
        sensors=[Measured(s.tag, s.quantity, to_us(s.at), s.value) for s in rows.sensors],
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
    sensors: Sequence[Measured] = (),
) -> ReadBatch:
    """A batch from one entry a read (plain sequences of equal length), and what tags measured.

    Raises MessageError when the reads span more than 71 minutes or are too many, and when a value
    does not fit its column or its field.
    """
    if len(kind) > MAX_READS:
        raise MessageError("too_large", f"{len(kind)} reads, at most {MAX_READS}")
    if len(sensors) > MAX_SENSOR_VALUES:
        raise MessageError("too_large", f"{len(sensors)} values, at most {MAX_SENSOR_VALUES}")
    times = [*time_us, *(measured.at_us for measured in sensors)]
    start_us = min(times, default=int(envelope["until_us"]))
    if times and max(times) - start_us >= _OFFSET_LIMIT:
        raise MessageError("malformed", "the reads of one batch span more than 71 minutes")
    tag_names, tag_index = _distinct([*tags, *(measured.tag for measured in sensors)])
    receiver_names, receiver_index = _distinct(receivers)
    values: dict[str, Sequence[float]] = {
        "tag_index": tag_index[: len(kind)],
        "receiver_index": receiver_index,
        "offset_us": [at - start_us for at in time_us],
        "rssi_cdbm": rssi_cdbm,
        "peak_cdbm": peak_cdbm,
        "count": count,
        "kind": kind,
    }
    fields = dict(envelope) | {"start_us": start_us, "tags": tag_names, "receivers": receiver_names}
    fields |= _packed(values, COLUMNS)
    if sensors:
        fields["sensors"] = _sensor_columns(sensors, tag_index[len(kind) :], start_us)
    try:
        return ReadBatch.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error) from None


def _sensor_columns(
    sensors: Sequence[Measured], tag_index: Sequence[int], start_us: int
) -> dict[str, Any]:
    quantities, quantity_index = _distinct([measured.quantity for measured in sensors])
    values: dict[str, Sequence[float]] = {
        "tag_index": tag_index,
        "quantity_index": quantity_index,
        "offset_us": [measured.at_us - start_us for measured in sensors],
        "value": [measured.value for measured in sensors],
    }
    return {"quantities": quantities} | _packed(values, SENSOR_COLUMNS)


def _packed(values: Mapping[str, Sequence[float]], codes: Mapping[str, str]) -> dict[str, bytes]:
    columns = {}
    for name, column in values.items():
        try:
            columns[name] = struct.pack(f"<{len(column)}{codes[name]}", *column)
        except struct.error as error:
            raise MessageError("malformed", f"column {name}: {error}") from None
    return columns


def _distinct(names: Sequence[str]) -> tuple[list[str], array[int]]:
    seen: dict[str, int] = {}
    index = array("H", (seen.setdefault(name, len(seen)) for name in names))
    return list(seen), index


def _peak(read: Read) -> float | None:
    return read.rssi_dbm if read.peak_dbm is None else read.peak_dbm


def _cdbm(dbm: float | None) -> int:
    return NO_RSSI if dbm is None else round(dbm * 100)


def _unpack(payload: bytes) -> dict[Any, Any]:
    """The map of a MessagePack message of our version."""
    try:
        fields = msgpack.unpackb(payload, max_map_len=_MAX_KEYS, max_array_len=MAX_READS)
    except Exception as error:  # msgpack raises half a dozen unrelated types
        # Not its repr, which may hold all that was unpacked.
        what = f"{type(error).__name__} {error}"
        raise MessageError("malformed", f"neither MessagePack nor JSON: {what}"[:300]) from None
    if not isinstance(fields, dict):
        raise MessageError("malformed", "the MessagePack value is not a map")
    _check_version(fields.get("schema_version"))
    return fields


def _json_object(payload: bytes) -> dict[str, Any]:
    """The outermost object, for what the models cannot see or see too late.

    A model copies its input into the report of each missing key and reports each unknown one: a
    megabyte of them would cost seconds and hundreds of megabytes.
    """
    if b"\\u0000" in payload:
        raise MessageError("malformed", "a string holds a zero character")
    try:
        fields = json.loads(payload.decode(), object_pairs_hook=_object, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise MessageError("malformed", f"not JSON: {error}"[:300]) from None
    if not isinstance(fields, dict):
        raise MessageError("malformed", "the JSON value is not an object")
    return fields


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(pairs) > _MAX_KEYS:
        raise ValueError(f"{len(pairs)} keys in one object")
    if len(found) != len(pairs):
        raise ValueError("a key comes twice in one object")
    return found


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _check_version(version: object) -> None:
    if type(version) is not int or version != SCHEMA_VERSION:  # True and 1.0 equal 1
        # Not the repr of anything: that of a deep list exceeds the recursion limit.
        shown = repr(version) if isinstance(version, (int, float, str)) else type(version).__name__
        raise MessageError("wrong_version", f"schema_version {shown:.40}")


def _check_keys(model: type[Message], fields: Mapping[str, Any]) -> None:
    known = model.model_fields
    missing = [name for name, field in known.items() if field.is_required() and name not in fields]
    unknown = [repr(name) for name in fields if name not in known]
    if missing:
        raise MessageError("malformed", f"missing: {', '.join(missing)}"[:300])
    if unknown:
        raise MessageError("malformed", f"unknown: {', '.join(unknown[:10])}"[:300])


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError("too_large", f"{len(payload)} bytes, at most {MAX_MESSAGE_BYTES}")


def _refusal(error: ValidationError) -> MessageError:
    first = error.errors(include_url=False, include_input=False)[0]
    # A key of the message may stand in the place: without control characters, please.
    where = repr(".".join(str(part) for part in first["loc"]))[1:-1] or "message"
    return MessageError("malformed", f"{where}: {first['msg']}"[:300])
