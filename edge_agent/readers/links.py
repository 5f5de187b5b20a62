"""A byte stream to a reader: a serial port or a connection. Read when readable, never blocking."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Protocol

import serial

from edge_agent.errors import ReaderLostError
from edge_agent.readers import ports

_READ_BYTES: Final = 4096
_WRITE_TIMEOUT_S: Final = 0.2
_CONNECT_S: Final = 10.0
_DEAD_S: Final = 20
"""A peer that does not answer for so long is gone, whether or not it ever has anything to say."""


class Link(Protocol):
    """`read` and `write` raise OSError (serial.SerialException is one) when the link is gone."""

    def fileno(self) -> int: ...

    def read(self) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class SerialLink:
    def __init__(self, device: str, baudrate: int) -> None:
        self._port = serial.Serial(
            device, baudrate, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True
        )

    def fileno(self) -> int:
        number: int = self._port.fileno()
        return number

    def read(self) -> bytes:
        data: bytes = self._port.read(_READ_BYTES)
        return data

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def close(self) -> None:
        self._port.close()


class TcpLink:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bytes:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError("closed by the reader")
        return data

    def write(self, data: bytes) -> None:
        # Commands are short: a buffer that does not take one belongs to a peer that is gone.
        if self._socket.send(data) != len(data):
            raise ConnectionResetError("the reader takes no more data")

    def close(self) -> None:
        self._socket.close()


async def connect(host: str, port: int) -> TcpLink:
    """Raises ReaderLostError."""
    loop = asyncio.get_running_loop()
    last: Exception = OSError("no address")
    try:
        async with asyncio.timeout(_CONNECT_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for family, kind, protocol, _name, address in found:
                connection = socket.socket(family, kind, protocol)
                connection.setblocking(False)
                try:
                    await loop.sock_connect(connection, address)
                except OSError as error:
                    connection.close()
                    last = error
                except BaseException:
                    connection.close()
                    raise
                else:
                    _keep_alive(connection)
                    return TcpLink(connection)
    except TimeoutError:
        last = TimeoutError(f"no answer within {_CONNECT_S:g} s")
    except OSError as error:
        last = error
    raise ReaderLostError(f"cannot connect to {host}:{port}: {last}") from last


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _DEAD_S // 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_S * 1000)


async def open_link(port: str, baudrate: int, tcp_port: int | None) -> Link:
    """`port` as in readers.ports; `tcp_port`: where it names none. Opening a device may block, so
    it happens in a thread; one that was opened for somebody who has gone is closed again."""
    host = ports.host(port)
    if host is not None:
        return await connect(host.name, host.port or tcp_port or 0)
    return await _in_thread(lambda: SerialLink(ports.device(port), baudrate))


async def _in_thread(opening: Callable[[], SerialLink]) -> SerialLink:
    task = asyncio.ensure_future(asyncio.to_thread(opening))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(
            lambda done: None if done.cancelled() or done.exception() else done.result().close()
        )
        raise
