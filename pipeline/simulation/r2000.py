"""An R2000 reader board ("A0" protocol) as an emulator: bytes in, bytes out, no input or output.

``A0 LEN ADR CMD data CHK``: LEN counts the bytes after it, the whole frame sums to 0 mod 256.
Result codes: 10 success, 11 failed, 22 antenna missing, 41 parameter error (hexadecimal).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.simulation.portals import Echo, Field

HEAD, ANY_ADDRESS, LONGEST = 0xA0, 0xFF, 64
SUCCESS, FAILED, ANTENNA_MISSING, BAD_PARAMETER = 0x10, 0x11, 0x22, 0x41
PC_96_BIT = b"\x30\x00"
EUROPEAN_CHANNELS = 7
TEMPERATURE_C = 36
FIRMWARE = b"\x01\x09"
GAP_US = 100_000
"""The rest of a command that takes longer than this to come is not awaited."""

Obey = Callable[[bytes, int], bytes]
"""(data, event time in us) -> the answer."""


def frame(command: int, data: bytes, address: int = 1) -> bytes:
    """A frame to or from the reader, with its checksum."""
    body = bytes((HEAD, len(data) + 3, address, command)) + data
    return body + bytes((-sum(body) & 0xFF,))


def rssi_byte(rssi_dbm: int) -> int:
    """The vendor's table: dBm + 129 from 90 upwards, dBm + 130 below."""
    return min(max(rssi_dbm + (129 if rssi_dbm >= -39 else 130), 0), 0x7F)


class R2000Reader:
    """`feed` answers the host at once; an inventory's frames come from `due` when it has run.

    `antennas` are connected (up to 4); inventory on another says that the antenna is missing.
    """

    def __init__(
        self, field: Field, *, antennas: int = 2, round_us: int = 60_000, address: int = 1
    ) -> None:
        self._field, self._antennas, self._round_us = field, antennas, round_us
        self._address = address
        self._buffer, self._fed_us = b"", 0
        self._commands = self._table()
        self._pending: tuple[int, Callable[[int], bytes]] | None = None
        self.rejected_bytes = 0
        self._reset()

    @property
    def next_us(self) -> int | None:
        """When `due` will have something, or None."""
        return None if self._pending is None else self._pending[0]

    def feed(self, data: bytes, at_us: int) -> bytes:
        """Take bytes from the host at event time `at_us`; returns the bytes to send."""
        if at_us - self._fed_us > GAP_US:
            self._buffer = b""
        self._buffer, self._fed_us = self._buffer + data, at_us
        answers = b""
        while (command := self._take()) is not None:
            answers += self._obey(*command, at_us)
        return answers

    def due(self, at_us: int) -> bytes:
        """The frames of an inventory that has ended by `at_us`."""
        if self._pending is None or self._pending[0] > at_us:
            return b""
        end_us, finish = self._pending
        self._pending = None
        return finish(end_us)

    def _reset(self) -> bytes:
        """As after power-up; the reader says nothing about it."""
        self._antenna, self._power, self._region = 0, b"\x1e", b"\x02\x00\x06"
        self._channel = 0
        self._pending = None
        return b""

    def _take(self) -> tuple[int, bytes] | None:
        """The next command for this address as (command, data); junk before it is dropped."""
        while len(self._buffer) >= 2:
            size = self._buffer[1] + 2
            if self._buffer[0] != HEAD or not 5 <= size <= LONGEST:
                self._drop()
            elif len(self._buffer) < size:
                return None
            elif sum(self._buffer[:size]) & 0xFF:
                self._drop()
            else:
                whole, self._buffer = self._buffer[:size], self._buffer[size:]
                if whole[2] in (self._address, ANY_ADDRESS):
                    return whole[3], whole[4:-1]
        return None

    def _drop(self) -> None:
        self._buffer = self._buffer[1:]
        self.rejected_bytes += 1

    def _obey(self, command: int, data: bytes, at_us: int) -> bytes:
        known = self._commands.get(command)
        if known is None:
            return self._result(command, FAILED)
        sizes, obey = known
        return obey(data, at_us) if len(data) in sizes else self._result(command, BAD_PARAMETER)

    def _table(self) -> dict[int, tuple[tuple[int, ...], Obey]]:
        """Command -> the sizes its data may have, and what it does."""
        get = self._answer
        return {
            0x66: ((1, 4), lambda data, _: self._set_power(0x66, data)),
            0x70: ((0,), lambda _data, _: self._reset()),
            0x71: ((1,), lambda _data, _: self._result(0x71, SUCCESS)),
            0x72: ((0,), lambda _data, _: get(0x72, FIRMWARE)),
            0x74: ((1,), lambda data, _: self._set_antenna(data[0])),
            0x75: ((0,), lambda _data, _: get(0x75, bytes((self._antenna,)))),
            0x76: ((1, 4), lambda data, _: self._set_power(0x76, data)),
            0x77: ((0,), lambda _data, _: get(0x77, self._power)),
            0x78: ((3, 6), lambda data, _: self._set_region(data)),
            0x79: ((0,), lambda _data, _: get(0x79, self._region)),
            0x7B: ((0,), lambda _data, _: get(0x7B, bytes((1, TEMPERATURE_C)))),
            0x89: ((1,), lambda data, at_us: self._start_inventory(0x89, data[0], at_us)),
            0x8A: ((6, 10, 18), self._start_switching),
            0x8B: ((3, 4), lambda data, at_us: self._start_inventory(0x8B, data[2], at_us)),
        }

    def _set_antenna(self, antenna: int) -> bytes:
        if antenna > 3:
            return self._result(0x74, BAD_PARAMETER)
        self._antenna = antenna
        return self._result(0x74, SUCCESS)

    def _set_region(self, data: bytes) -> bytes:
        self._region = data
        return self._result(0x78, SUCCESS)

    def _set_power(self, command: int, data: bytes) -> bytes:
        if max(data) > 33:
            return self._result(command, BAD_PARAMETER)
        self._power = data
        return self._result(command, SUCCESS)

    def _start_inventory(self, command: int, rounds: int, at_us: int) -> bytes:
        """Rounds 255 means as short as possible: one."""
        if self._antenna >= self._antennas:
            return self._result(command, ANTENNA_MISSING)
        count = 1 if rounds in (0, 0xFF) else rounds
        antenna = self._antenna

        def finish(end_us: int) -> bytes:
            echoes = [echo for k in range(count) for echo in
                      self._field(antenna, end_us - (count - 1 - k) * self._round_us)]  # fmt: skip
            rate = round(len(echoes) * 1e6 / (count * self._round_us))
            end = bytes((antenna,)) + rate.to_bytes(2, "big") + len(echoes).to_bytes(4, "big")
            return self._tags(command, antenna, echoes) + self._answer(command, end)

        self._pending = at_us + count * self._round_us, finish
        return b""

    def _start_switching(self, data: bytes, at_us: int) -> bytes:
        """Fast switching: (antenna, rounds) pairs, rest time, repeats; missing ones are told."""
        turns = [(a, n) for a, n in zip(data[:-2:2], data[1:-2:2], strict=True) if a < 4 and n]
        missing = b"".join(
            self._answer(0x8A, bytes((a, ANTENNA_MISSING))) for a, _ in turns if a >= self._antennas
        )
        rounds = [a for a, n in turns if a < self._antennas for _ in range(n)] * max(1, data[-1])

        def finish(end_us: int) -> bytes:
            frames, total = missing, 0
            for k, antenna in enumerate(rounds):
                found = self._field(antenna, end_us - (len(rounds) - 1 - k) * self._round_us)
                frames, total = frames + self._tags(0x8A, antenna, found), total + len(found)
            took_ms = len(rounds) * self._round_us // 1000
            return frames + self._answer(
                0x8A, total.to_bytes(3, "big") + took_ms.to_bytes(4, "big")
            )

        self._pending = at_us + len(rounds) * self._round_us, finish
        return b""

    def _tags(self, command: int, antenna: int, echoes: Sequence[Echo]) -> bytes:
        frames = b""
        for echo in echoes:
            self._channel = (self._channel + 1) % EUROPEAN_CHANNELS
            head = bytes((self._channel << 2 | antenna,)) + PC_96_BIT
            frames += self._answer(command, head + echo.epc + bytes((rssi_byte(echo.rssi_dbm),)))
        return frames

    def _result(self, command: int, code: int) -> bytes:
        return self._answer(command, bytes((code,)))

    def _answer(self, command: int, data: bytes) -> bytes:
        return frame(command, data, self._address)
