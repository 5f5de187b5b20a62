"""Lines of a replay file to what they say. Sans-I/O; one JSON object a line.

- an advertisement: `at_us, adapter, address, address_type, rssi_dbm, manufacturer_data,
  service_data`: goes through the BLE decoder, `adapter` names the receiver;
- a finished read: `at_us, receiver, tag, rssi_dbm, kind`;
- a time marker: `until_us`: nothing older follows.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from edge_agent.decoders.ble import identity

_KINDS = {"ble": 1, "rfid": 2, "other": 3}
_TAG = re.compile(r"[a-z0-9]+:[ -~]{1,120}")
_RECEIVER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}(/[0-9]{1,3})?")
_TIME_LIMIT_US = 2**62
_NO_LEVEL = -32768
_MEMORY = 20_000
"""Names and identities that are remembered: most lines repeat those of the last seconds."""


class Heard(NamedTuple):
    """One reception; `tag` is None when nothing lasting was identified. Level in 0.01 dBm."""

    at_us: int
    tag: str | None
    receiver: str
    kind: int
    cdbm: int


class LineError(ValueError):
    """A line that is none of the three forms."""


class LineDecoder:
    """`decode(line)` gives Heard, or the time of a marker as int. Raises LineError."""

    def __init__(self, *, forward_random: bool = False) -> None:
        self._forward_random = forward_random
        self._identities: dict[Any, str | None] = {}
        self._valid: set[tuple[str, str]] = set()

    def decode(self, line: bytes) -> Heard | int:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LineError(f"not JSON: {error}") from None
        if type(record) is not dict:
            raise LineError("not a JSON object")
        try:
            if "until_us" in record:
                return _time(record["until_us"])
            at_us = _time(record["at_us"])
            cdbm = _level(record.get("rssi_dbm"))
            if "tag" in record:
                return self._finished(record, at_us, cdbm)
            receiver = record["adapter"]
            tag = self._identity(record)
            self._check(tag or "ble:0", receiver)
            return Heard(at_us, tag, receiver, _KINDS["ble"], cdbm)
        except KeyError as error:
            raise LineError(f"missing or unknown: {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise LineError(str(error)) from None

    def _finished(self, record: dict[str, Any], at_us: int, cdbm: int) -> Heard:
        tag, receiver = record["tag"], record["receiver"]
        self._check(tag, receiver)
        return Heard(at_us, tag, receiver, _KINDS[record.get("kind", "rfid")], cdbm)

    def _check(self, tag: str, receiver: str) -> None:
        if (tag, receiver) in self._valid:
            return
        if not _TAG.fullmatch(tag) or not _RECEIVER.fullmatch(receiver):
            raise LineError(f"no name of a tag and a receiver: {tag!r:.80} {receiver!r:.80}")
        if len(self._valid) >= _MEMORY:
            self._valid.clear()
        self._valid.add((tag, receiver))

    def _identity(self, record: dict[str, Any]) -> str | None:
        address, kind = record["address"], record.get("address_type", "public")
        if not isinstance(address, str):
            raise LineError(f"no address: {address!r:.80}")
        company = record.get("manufacturer_data") or {}
        service = record.get("service_data") or {}
        key = (address, kind, *company.items(), *service.items())
        if key not in self._identities:
            if len(self._identities) >= _MEMORY:
                self._identities.clear()
            self._identities[key] = identity(
                address=address,
                address_type=kind,
                manufacturer_data={int(k): bytes.fromhex(v) for k, v in company.items()},
                service_data={k.lower(): bytes.fromhex(v) for k, v in service.items()},
                forward_random=self._forward_random,
            )
        return self._identities[key]


def _time(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _TIME_LIMIT_US:
        raise LineError(f"no time in microseconds: {value!r:.80}")
    return value


def _level(value: object) -> int:
    """dBm as 0.01 dBm."""
    if value is None:
        return _NO_LEVEL
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not -200 <= value <= 100:  # type: ignore[operator]
        raise LineError(f"no level in dBm: {value!r:.80}")
    return round(value * 100)  # type: ignore[operator]
