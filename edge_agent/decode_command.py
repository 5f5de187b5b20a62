"""`biotrakr-edge decode PROTOCOL`: what the decoders make of bytes on standard input.

A line is the chunks of one stream in hexadecimal, separated by spaces; the answer is one JSON array
of frames a line. With `--ble` a line is a JSON object: `manufacturer_data` and `service_data` (or
`ble` with both inside, or the payload as `hex`), and where needed `address`, `key`, `irk`; the
answer is the decoded object, null for what is not of the format.

Exit status: 0 good, 1 a line could not be read (the others are decoded), 2 no such protocol.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from edge_agent.decoders import ble_rpa
from edge_agent.decoders.ble_advert import Advert, parse_raw
from edge_agent.decoders.ble_fields import service_uuid
from edge_agent.decoders.readings import Frame
from edge_agent.decoders.registry_ble import FORMATS, decode_all, decode_format, decode_payload
from edge_agent.decoders.registry_lines import line_sources
from edge_agent.decoders.registry_serial import PROTOCOLS, SerialProtocol

RPA, COMBINED = "ble_rpa", "ble_combined"
DIRECTIONS = ("reader_to_host", "host_to_reader")
_SHOWN = 60


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("protocol", nargs="?", metavar="PROTOCOL", help="; ".join(names()))
    parser.add_argument("--ble", action="store_true", help="lines are JSON advertisements")
    parser.add_argument("--direction", choices=DIRECTIONS, default=DIRECTIONS[0])


def main(options: Namespace) -> int:
    return run(
        options.protocol,
        sys.stdin.buffer,
        sys.stdout,
        sys.stderr,
        ble=options.ble,
        direction=options.direction,
    )


def run(
    protocol: str | None,
    lines: Iterable[bytes],
    out: TextIO,
    err: TextIO,
    *,
    ble: bool = False,
    direction: str = DIRECTIONS[0],
) -> int:
    """Returns the exit status. `protocol` None, with `ble` only: every format that is there."""
    known = _ble_names() if ble else names()
    if protocol not in known and not (ble and protocol is None):
        said = f"no protocol {protocol}" if protocol else "a protocol is needed"
        print(f"{said}; there are: {' '.join(known)}", file=err)
        return 2
    status = 0
    for number, raw in enumerate(lines, 1):
        text = raw.decode("utf-8", "replace").strip()
        try:
            answer = _answer(protocol, text, ble=ble, direction=direction)
        except ValueError as error:
            print(f"line {number}: {error}: {text[:_SHOWN]}", file=err)
            status = 1
        else:
            print(json.dumps(answer), file=out, flush=True)
    return status


def names() -> list[str]:
    return sorted({*_serial(), *line_sources(_year), *_ble_names()})


def _answer(protocol: str | None, text: str, *, ble: bool, direction: str) -> Any:
    if ble:
        return decode_advert(protocol, _object(text))
    return decode_stream(protocol or "", [_octets(chunk) for chunk in text.split()], direction)


def decode_stream(
    protocol: str, chunks: Sequence[bytes], direction: str = DIRECTIONS[0]
) -> list[Frame]:
    """The frames that one stream, arriving in `chunks`, holds. Raises KeyError for no protocol."""
    whole = b"".join(chunks)
    if protocol in _ble_names():
        frame = _payload(protocol, whole)
        return [] if frame is None else [frame]
    if protocol in (lines := line_sources(_year)):
        decoder = lines[protocol]()
        return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.end()
    entry = _serial()[protocol]
    if direction == "host_to_reader":
        return _described(entry.describe, whole)
    source = entry.decoder()
    frames = [frame for chunk in chunks for frame in source.feed(chunk)]
    end: Callable[[], list[Frame]] = getattr(source, "end", list)  # of lines
    return frames + end()


def _described(describe: Callable[[bytes], Frame] | None, command: bytes) -> list[Frame]:
    if describe is None or not command:
        return []
    try:
        return [describe(command)]
    except LookupError:  # it expects a whole frame
        raise ValueError("not a command of this protocol") from None


def decode_advert(protocol: str | None, record: dict[str, Any]) -> Frame | None:
    """One advertisement by one format, or by all: then the keys are mfr_<company>, svc_<uuid>."""
    key = _optional_octets(record, "key")
    address = record.get("address")
    if address is not None and not isinstance(address, str):
        raise ValueError("address is not text")
    if protocol == RPA:
        digits = address or _octets(record.get("hex")).hex()
        return ble_rpa.decode(digits, _optional_octets(record, "irk"))
    parts = record.get("ble", record)
    if not isinstance(parts, dict):
        raise ValueError("ble is not an object")
    if parts.keys().isdisjoint(("manufacturer_data", "service_data")):
        if "hex" not in record:
            raise ValueError("neither manufacturer_data, service_data nor hex")
        return _payload(protocol or COMBINED, _octets(record["hex"]), address, key)
    advert = Advert(
        {_company(name): _octets(data) for name, data in _pairs(parts, "manufacturer_data")},
        {_uuid(name): _octets(data) for name, data in _pairs(parts, "service_data")},
        address,
        key,
    )
    return _all_parts(advert) if protocol in (None, COMBINED) else decode_format(protocol, advert)


def _payload(
    protocol: str, data: bytes, address: str | None = None, key: bytes | None = None
) -> Frame | None:
    if protocol == RPA:
        return ble_rpa.decode(data.hex(), None)
    if protocol == COMBINED:
        advert = parse_raw(data, address=address, key=key)
        return None if advert is None else _all_parts(advert)
    return decode_payload(protocol, data, address, key)


def _all_parts(advert: Advert) -> Frame:
    return {found.part: found.frame for found in decode_all(advert)}


def _serial() -> dict[str, SerialProtocol]:
    """By the names of the settings and by those of the test vectors."""
    by_vectors = {entry.vectors: entry for entry in PROTOCOLS.values() if entry.vectors}
    return PROTOCOLS | by_vectors


def _ble_names() -> list[str]:
    return [*FORMATS, RPA, COMBINED]


def _year() -> int:
    return datetime.now(UTC).year


def _object(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


def _octets(text: object) -> bytes:
    try:
        return bytes.fromhex(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError("not hexadecimal") from None


def _optional_octets(record: dict[str, Any], name: str) -> bytes | None:
    return None if record.get(name) is None else _octets(record[name])


def _pairs(parts: dict[str, Any], name: str) -> Iterable[tuple[str, object]]:
    entries = parts.get(name) or {}
    if not isinstance(entries, dict):
        raise ValueError(f"{name} is not an object")
    return entries.items()


def _company(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"no company number: {text:.20}") from None


def _uuid(text: str) -> str:
    """128-bit text in lower case; four digits are the short form."""
    if len(text) == 4:
        return service_uuid(int.from_bytes(_octets(text), "big"))
    return text.lower()
