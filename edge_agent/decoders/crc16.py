"""The three 16-bit checks of the serial protocols."""

from __future__ import annotations

import binascii


def mercury(message: bytes) -> int:
    """ThingMagic's check: polynomial 0x1021, start 0xFFFF, message bits enter at bit 0 and no zero
    bits follow. At least two bytes.

    That leaves the remainder of (0xFFFF, message) where the usual CRC-16 leaves that of the same
    times x^16. So the usual one over all but the last two bytes, started at 0xFFFF * x^16 (0x1D0F),
    needs nothing but those two bytes added.
    """
    return binascii.crc_hqx(message[:-2], 0x1D0F) ^ int.from_bytes(message[-2:], "big")


def ccitt_false(message: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF. "123456789" gives 0x29B1."""
    return binascii.crc_hqx(message, 0xFFFF)


def _reflected_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        register = byte
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
        table.append(register)
    return tuple(table)


_REFLECTED = _reflected_table()


def reflected(message: bytes) -> int:
    """Chafon's and Feig's check: polynomial 0x8408 reflected, start 0xFFFF."""
    register = 0xFFFF
    for byte in message:
        register = register >> 8 ^ _REFLECTED[(register ^ byte) & 0xFF]
    return register
