"""An M100 reader module (YRM100, R200 and relatives) as an emulator, without input or output.

``BB TYPE CMD PL(2) param SUM 7E``; some firmware frames with AA and DD instead. Like the real
ones it obeys a command whose sum is wrong; its own sums are right.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.simulation.portals import Echo, Field

ENDS = {0xBB: 0x7E, 0xAA: 0xDD}
COMMAND, ANSWER, NOTICE = 0, 1, 2
NO_TAG, UNKNOWN_COMMAND, ERROR = 0x15, 0x17, 0xFF
PC_96_BIT = b"\x30\x00"
LONGEST = 64
INFO = {0: b"M100 26dBm V1.0", 1: b"V2.3.5", 2: b"simulated"}
STOP = 0x28
GETTERS = {0x08: 0x07, 0xB7: 0xB6, 0xAA: 0xAB}
"""Region, power, channel: the command that gets it -> the one that sets it."""
ACKNOWLEDGED = frozenset((0x0C, 0x11, 0x12, 0x17, 0xAD))
GAP_US = 100_000
"""The rest of a command that takes longer than this to come is not awaited."""


class Command(NamedTuple):
    head: int
    code: int
    parameter: bytes


def frame(kind: int, command: int, parameter: bytes, head: int = 0xBB) -> bytes:
    """A frame to or from the module, with its sum."""
    body = bytes((kind, command)) + len(parameter).to_bytes(2, "big") + parameter
    return bytes((head,)) + body + bytes((sum(body) & 0xFF, ENDS[head]))


def gen2_crc(data: bytes) -> int:
    """CRC-16, polynomial 0x1021, start and final XOR 0xFFFF: what a tag appends to PC and EPC."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x1021 if register & 0x8000 else 0)
            register &= 0xFFFF
    return register ^ 0xFFFF


class M100Reader:
    """`feed` answers the host at once; the rounds of a poll come from `due` as time passes.

    Each round gives a notice per tag, or the "no tag" answer when there is none. A poll ends by
    itself after its rounds.
    """

    def __init__(self, field: Field, *, round_us: int = 60_000) -> None:
        self._field, self._round_us = field, round_us
        self._buffer, self._fed_us = b"", 0
        self._head = 0xBB
        self._rounds = 0
        self._next_us = 0
        self._settings = {0x07: b"\x03", 0xB6: b"\x07\xd0", 0xAB: b"\x00"}
        self.rejected_bytes = 0

    @property
    def next_us(self) -> int | None:
        """When the running poll ends its next round, or None."""
        return self._next_us if self._rounds else None

    def feed(self, data: bytes, at_us: int) -> bytes:
        """Take bytes from the host at event time `at_us`; returns the bytes to send."""
        if at_us - self._fed_us > GAP_US:
            self._buffer = b""
        self._buffer, self._fed_us = self._buffer + data, at_us
        answers = b""
        while (command := self._take()) is not None:
            self._head = command.head
            answers += self._obey(command, at_us)
        return answers

    def due(self, at_us: int) -> bytes:
        """What the rounds that ended by `at_us` have to say."""
        frames = b""
        while self._rounds and self._next_us <= at_us:
            frames += self._round(self._next_us)
            self._rounds -= 1
            self._next_us += self._round_us
        return frames

    def _take(self) -> Command | None:
        while len(self._buffer) >= 5:
            head = self._buffer[0]
            size = int.from_bytes(self._buffer[3:5], "big") + 7
            if head not in ENDS or self._buffer[1] != COMMAND or size > LONGEST:
                self._drop()
            elif len(self._buffer) < size:
                return None
            elif self._buffer[size - 1] != ENDS[head]:
                self._drop()
            else:
                whole, self._buffer = self._buffer[:size], self._buffer[size:]
                return Command(head, whole[2], whole[5:-2])
        return None

    def _drop(self) -> None:
        self._buffer = self._buffer[1:]
        self.rejected_bytes += 1

    def _obey(self, command: Command, at_us: int) -> bytes:
        code, parameter = command.code, command.parameter
        if code == 0x22:
            return self._poll(1, at_us)
        if code == 0x27 and len(parameter) == 3:
            return self._poll(int.from_bytes(parameter[1:], "big"), at_us)
        if code == 0x03 and parameter:
            return self._answer(code, parameter[:1] + INFO.get(parameter[0], b""))
        if code in GETTERS:
            return self._answer(code, self._settings[GETTERS[code]])
        return self._set(code, parameter)

    def _set(self, code: int, parameter: bytes) -> bytes:
        if code in self._settings:
            self._settings[code] = parameter
        elif code == STOP:
            self._rounds = 0
        elif code not in ACKNOWLEDGED:
            return self._error(UNKNOWN_COMMAND)
        return self._answer(code, b"\x00")

    def _poll(self, rounds: int, at_us: int) -> bytes:
        self._rounds, self._next_us = rounds, at_us + self._round_us
        return b""

    def _round(self, at_us: int) -> bytes:
        echoes = self._field(0, at_us)
        return b"".join(self._notice(echo) for echo in echoes) or self._error(NO_TAG)

    def _notice(self, echo: Echo) -> bytes:
        crc = gen2_crc(PC_96_BIT + echo.epc).to_bytes(2, "big")
        strength = bytes((echo.rssi_dbm & 0xFF,))
        return frame(NOTICE, 0x22, strength + PC_96_BIT + echo.epc + crc, self._head)

    def _error(self, code: int) -> bytes:
        return self._answer(ERROR, bytes((code,)))

    def _answer(self, code: int, parameter: bytes) -> bytes:
        return frame(ANSWER, code, parameter, self._head)
