"""All gateways in one cheap process: sends a recorded load to a broker at a given pace.

`python -m bench.feeder RECORDED HOST PORT USER PASSWORD` reads one JSON command a line and answers
each with one: {"first": 0, "last": 100, "reads_per_s": 5e5} sends these messages; without a pace
each is sent when its event time is now. MQTT 3.1.1 over a plain socket, QoS 1, at most WINDOW
messages not yet acknowledged: a full client would need a core of the machine that is measured.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from bench.children import ENVIRONMENT
from bench.load import Recorded

WINDOW = 2000
BLOCK = 64
"""Messages sent with one call."""
_CONNECT, _PUBLISH_QOS1, _PUBACK = 0x10, 0x32, b"\x40\x02"
_MAX_MID = 65_535


class Publisher:
    """Just enough of MQTT to publish at QoS 1."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection((host, port), 10.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flags = 0x02 | 0x40 | 0x80  # clean session, password, user name
        body = _text(b"MQTT") + bytes([4, flags, 0, 0]) + _text(secrets.token_hex(8).encode())
        self._socket.sendall(
            _packet(_CONNECT, body + _text(user.encode()) + _text(password.encode()))
        )
        answer = self._socket.recv(4, socket.MSG_WAITALL)
        if answer[:2] != b"\x20\x02" or answer[3]:
            raise ConnectionError(f"the broker refuses the feeder: {answer!r}")
        self._mids = itertools.cycle(range(1, _MAX_MID + 1))
        self._acknowledged = b""
        self.in_flight = 0

    def close(self) -> None:
        self._socket.close()

    def send(self, messages: Iterable[tuple[str, bytes, int]]) -> None:
        packets = [
            _packet(
                _PUBLISH_QOS1, _text(topic.encode()) + struct.pack(">H", next(self._mids)) + load
            )
            for topic, load, _ in messages
        ]
        self._socket.sendall(b"".join(packets))
        self.in_flight += len(packets)
        while self.in_flight >= WINDOW:
            self._take_acknowledgements()

    def drain(self) -> None:
        """Wait until the broker has acknowledged everything."""
        while self.in_flight:
            self._take_acknowledgements()

    def _take_acknowledgements(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the broker has closed the feeder's connection")
        data = self._acknowledged + received
        whole = len(data) // 4
        assert all(data[4 * i : 4 * i + 2] == _PUBACK for i in range(whole))
        self._acknowledged = data[4 * whole :]
        self.in_flight -= whole


def feed(publisher: Publisher, recorded: Recorded, command: dict[str, Any]) -> dict[str, float]:
    """Send messages [first, last) and wait until the broker has them. Times: time.time()."""
    first, last = command["first"], command["last"]
    began = time.time()
    if pace := command.get("reads_per_s"):
        due = began + recorded.index["reads"][first:last].cumsum() / pace
    else:
        due = recorded.index["ready_us"][first:last] / 1e6
    at = first
    while at < last:
        ready = first + int(due.searchsorted(time.time(), side="right"))
        if ready <= at:
            time.sleep(max(0.001, due[at - first] - time.time()))
            continue
        stop = min(ready, at + BLOCK)
        publisher.send(recorded.messages(at, stop))
        at = stop
    sent = time.time()
    publisher.drain()
    return {"began": began, "sent": sent, "behind_s": max(0.0, sent - float(due[-1]))}


class Feeder:
    """The process; `send` waits for its answer."""

    def __init__(self, recorded: Recorded, mqtt_url: str) -> None:
        address = urlsplit(mqtt_url)
        secret = unquote(address.password or "")
        where = [str(address.hostname), str(address.port), str(address.username), secret]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.feeder", str(recorded.directory), *where],
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, first: int, last: int, reads_per_s: float | None) -> dict[str, float]:
        assert self._process.stdin and self._process.stdout
        command = {"first": first, "last": last, "reads_per_s": reads_per_s}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()


def _packet(kind: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + body


def _text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def main(directory: str, host: str, port: str, user: str, password: str) -> None:
    recorded = Recorded(Path(directory))
    publisher = Publisher(host, int(port), user, password)
    for line in sys.stdin:
        print(json.dumps(feed(publisher, recorded, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
