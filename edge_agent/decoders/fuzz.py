"""Feeds noise and damaged frames to every serial decoder: `python -m edge_agent.decoders.fuzz`.

Afterwards nothing may have been raised, a good frame must be found (at the latest when it comes a
second time: the first may lie inside a false frame whose checksum happens to be right), and hosts
must only have given names that fit the contract.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from edge_agent.decoders import caen, cc_family, feig, m100, r2000, rcp, rdm6300, ssi, tsl
from edge_agent.decoders import chafon_cf as cf
from edge_agent.decoders import mercury as tm
from edge_agent.decoders import uhfreader18 as uhf
from edge_agent.decoders.readings import Frame, Reading
from edge_agent.decoders.registry_serial import PROTOCOLS, HostOptions, SerialProtocol

_EPC = bytes.fromhex("e280116060000205a1b2c3d4")
_PC_EPC_CRC = bytes.fromhex("3000e280116060000205a1b2c3d47956")
_MERCURY_TAG = bytes.fromhex("10001b01ff0102c8320dfb3800000150005a05000007") + b"\x00\x80"
_TSL_TAG = ("CS: .iv", "EP: e280116060000205a1b2c3d4", "RI: -61", "OK:")
_UHF_18 = (uhf.encode_answer(uhf.INVENTORY, b"\x01\x0c" + _EPC, uhf.FINISHED),)
_UHF_288 = (uhf.encode_answer(uhf.INVENTORY, b"\x02\x01\x0c" + _EPC + b"\x6b", uhf.FINISHED),)
_UHF_ACTIVE = uhf.encode_answer(uhf.ACTIVE, _EPC)
_INFO = uhf.encode_answer(uhf.READER_INFO, bytes.fromhex("00160c034e001e0a"))

GOOD: dict[str, tuple[bytes, ...]] = {
    "r2000": (
        r2000.encode(r2000.INVENTORY, b"\x04\x30\x00" + _EPC + b"\x45"),
        r2000.encode(r2000.INVENTORY, bytes.fromhex("00001100000005")),
    ),
    "m100": (
        m100.encode(m100.SINGLE_POLL, b"\xcf" + _PC_EPC_CRC, kind=m100.NOTICE),
        m100.encode(m100.ERROR, b"\x15", kind=m100.ANSWER),
    ),
    "mercury": (
        tm.encode_answer(tm.READ_MULTIPLE, _MERCURY_TAG + _PC_EPC_CRC),
        tm.encode_answer(tm.READ_MULTIPLE, status=tm.NO_TAG),
        tm.encode_answer(tm.READ_SINGLE, _EPC + b"\x79\x56"),
    ),
    "uhfreader18": (*_UHF_18, _INFO, _UHF_ACTIVE),
    "uhfreader18_active": (_UHF_ACTIVE, *_UHF_18),
    "uhfreader288": (*_UHF_288, _INFO),
    "uhfreader288_active": (
        uhf.encode_answer(uhf.ACTIVE, b"\x01\x0c" + _EPC + b"\x6b"),
        uhf.encode_answer(uhf.ACTIVE, bytes(16), uhf.HEARTBEAT),
    ),
    "chafon_cf": (
        cf.encode(cf.START, b"\x00\xfd\x8a\x01\x00\x0c" + _EPC, 0),
        cf.encode(cf.START, b"\x12", 0),
    ),
    "rcp": (
        rcp.encode(rcp.READ_ONCE, b"\x30\x00" + _EPC, kind=rcp.NOTICE),
        rcp.encode(rcp.ERROR, b"\x0b", kind=rcp.ANSWER),
    ),
    "rdm6300": (
        rdm6300.encode(bytes.fromhex("67003b51c6")),
        rdm6300.encode(bytes.fromhex("1f00644bb6"), line_end=True),
    ),
    "wiegand_hex": (b"3B51C6\r",),
    "wiegand_decimal": (b"0003887558\r\n",),
    "tsl": (tsl.encode_answer(*_TSL_TAG), tsl.encode_answer("CS: .bc", "BC: 0705", "OK:")),
    "ssi": (
        ssi.encode(ssi.DECODE_DATA, b"\x03A123B", source=ssi.DECODER),
        ssi.encode(ssi.ACK, source=ssi.DECODER),
    ),
    "scanner": (b"]C1010703206980498815210526100329\r\n", b"+A123BJC5D6E71G\r\n"),
    "nmea": (
        b"$GNRMC,064607.000,A,4546.2282,N,00311.6590,E,0.76,0.00,230619,,,A*7D\r\n",
        b"$GNRMC,,V,,,,,,,,,,N,V*37\r\n",
    ),
    "line": (b"0A1B2C\r\n",),
    "feig": (feig.encode_answer(feig.INVENTORY, b"\x01\x03" + _EPC, advanced=True),),
    "caen": (caen.encode(5, [(1, b"\x00\x13"), (2, b"\x00\x00")], direction="response"),),
    "cc_family": (cc_family.encode_answer(0x20, 0x05, _EPC),),
}
"""Frames of each protocol that say something; the first one is looked for after the noise."""

_NAME = re.compile(r"[a-z0-9]{1,31}:[ -~]{1,120}")
_MOST_HELD = 2 << 20
_LONGEST_NOISE = 400


@dataclass(slots=True)
class Report:
    """`late`: good frames found only when they came again. `failures`: what went wrong, with what
    is needed to see it again."""

    streams: int = 0
    bytes_fed: int = 0
    late: int = 0
    failures: list[str] = field(default_factory=list)


def noise(rng: random.Random, good: Sequence[bytes]) -> bytes:
    """Random bytes, or good frames in which something was changed, lost, added or repeated."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(_LONGEST_NOISE))
    stream = bytearray()
    for _ in range(rng.randrange(1, 8)):
        piece = bytearray(rng.choice(good))
        for _ in range(rng.randrange(4)):
            _damage(rng, piece)
        stream += piece
    return bytes(stream)


def _damage(rng: random.Random, piece: bytearray) -> None:
    if not piece:
        return
    at = rng.randrange(len(piece))
    kind = rng.randrange(5)
    if kind == 0:
        piece[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del piece[at:]
    elif kind == 2:
        del piece[:at]
    elif kind == 3:
        piece[at:at] = rng.randbytes(rng.randrange(1, 6))
    else:
        piece[at] = rng.choice((0x00, 0x02, 0x7E, 0x7F, 0x80, 0xF8, 0xFF))


def chunks(rng: random.Random, stream: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(stream):
        size = rng.choice((1, 2, 7, 30, 500))
        yield stream[at : at + size]
        at += size


def run_stream(name: str, seed: str, report: Report) -> None:
    """One stream through one decoder and, if there is one, its host."""
    protocol, good = PROTOCOLS[name], GOOD[name]
    rng = random.Random(seed)
    stream = noise(rng, good)
    report.streams += 1
    report.bytes_fed += len(stream)
    try:
        problem = _through_decoder(protocol, rng, stream, good[0], report)
        problem = problem or _through_host(protocol, rng, stream + good[0])
    except Exception as error:
        problem = f"raised {error!r}"
    if problem:
        report.failures.append(f"{name}, seed {seed!r}: {problem}; stream {stream.hex()}")


def _through_decoder(
    protocol: SerialProtocol, rng: random.Random, stream: bytes, good: bytes, report: Report
) -> str | None:
    expected = protocol.decoder().feed(good)
    decoder = protocol.decoder()
    for chunk in chunks(rng, stream):
        decoder.feed(chunk)
    if not _ends_with(decoder.feed(good), expected):
        report.late += 1
        if not _ends_with(decoder.feed(good), expected):
            return "a good frame was not found, nor its repetition"
    held = decoder.flush()
    return f"held {held} bytes" if held > _MOST_HELD else None


def _ends_with(frames: list[Frame], expected: list[Frame]) -> bool:
    return frames[-len(expected) :] == expected


def _through_host(protocol: SerialProtocol, rng: random.Random, stream: bytes) -> str | None:
    if protocol.host is None:
        return None
    host = protocol.host(HostOptions(antennas=(1, 2), region=next(iter(protocol.regions), None)))
    now_s = 0.0
    for chunk in chunks(rng, stream):
        host.send(now_s)
        for item in [*host.receive(chunk, now_s), *host.events()]:
            if isinstance(item, Reading) and not _NAME.fullmatch(item.tag):
                return f"no name: {item.tag!r}"
        now_s += rng.choice((0.001, 0.02, 1.0))
    host.stop()
    return None


def fuzz(streams: int, seed: int = 1) -> Report:
    """`streams` streams, the protocols in turn."""
    report = Report()
    names = list(GOOD)
    for number in range(streams):
        run_stream(names[number % len(names)], f"{seed}/{number}", report)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 when something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    report = fuzz(options.streams, options.seed)
    for failure in report.failures:
        print(failure)
    print(
        f"{report.streams} streams, {report.bytes_fed} bytes, {len(GOOD)} protocols: "
        f"{len(report.failures)} failures, {report.late} good frames found one frame late"
    )
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
