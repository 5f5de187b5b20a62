"""Just enough of MQTT 3.1.1 to ask a broker whether it lets a user in."""

from __future__ import annotations

import socket
import struct

ACCEPTED = 0
_CONNECT, _CONNACK, _DISCONNECT = 0x10, 0x20, 0xE0
_CLEAN_SESSION, _HAS_PASSWORD, _HAS_USER = 0x02, 0x40, 0x80


def connect_code(port: int, user: str, password: str, timeout_s: float = 2.0) -> int | None:
    """The return code of a CONNECT to 127.0.0.1:`port`, or None when nobody answers.

    0 is accepted, 4 and 5 mean that the user is not (section 3.2.2.3 of the standard).
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
            connection.sendall(_connect_packet(user, password))
            answer = connection.recv(4, socket.MSG_WAITALL)
            connection.sendall(bytes([_DISCONNECT, 0]))
    except OSError:
        return None
    return answer[3] if len(answer) == 4 and answer[0] == _CONNACK else None


def _connect_packet(user: str, password: str) -> bytes:
    flags = _CLEAN_SESSION | _HAS_USER | _HAS_PASSWORD
    keep_alive_s = 10
    body = _text("MQTT") + bytes([4, flags]) + struct.pack(">H", keep_alive_s)
    body += _text("") + _text(user) + _text(password)
    return bytes([_CONNECT]) + _length(len(body)) + body


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _length(value: int) -> bytes:
    """The standard's variable byte integer: seven bits a byte, the least significant first."""
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(encoded)
