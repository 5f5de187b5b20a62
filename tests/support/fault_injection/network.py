"""TCP proxies that can be cut, stalled, slowed down, half closed or left with bytes under way.

All proxies run in one thread with its own event loop; every public call may come from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Network:
    """The loop in which proxies live."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="network", daemon=True)
        self._thread.start()
        self._proxies: list[Proxy] = []

    def proxy(self, name: str, port: int) -> Proxy:
        """A proxy to `port` of this machine."""
        proxy = Proxy(self, name, port)
        asyncio.run_coroutine_threadsafe(proxy.open(), self.loop).result(10)
        self._proxies.append(proxy)
        return proxy

    def call(self, function: Callable[[], Any]) -> Any:
        """Run `function` in the loop and return its result."""
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as error:
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return done.result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _end(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Pair:
    """One connection: `client` and `server` are the two ends as the proxy sees them."""

    def __init__(self, client: Any, server: Any) -> None:
        self.client, self.server = client, server
        self.ended: set[Any] = set()
        self.marked = False
        self.gate = asyncio.Event()
        self.gate.set()

    def end(self, sink: Any) -> None:
        """Nothing more will be written to `sink`."""
        if sink not in self.ended and not sink.is_closing():
            self.ended.add(sink)
            with contextlib.suppress(OSError):
                sink.write_eof()

    def reset(self) -> None:
        for _, writer in (self.client, self.server):
            _reset(writer)


class Proxy:
    """One link. Counters say whether a fault took effect: `refused`, `held` and `late` count
    connections turned away, chunks kept back and chunks delayed."""

    def __init__(self, network: Network, name: str, target: int) -> None:
        self.name, self.port = name, 0
        self._network, self._target = network, target
        self._pairs: set[Pair] = set()
        self._server: asyncio.Server | None = None
        self._refusing = self._stalled = self._paused = False
        self._delay_s = 0.0
        self._strand: tuple[bytes, bytes] | None = None
        self.refused = self.held = self.late = 0
        self.stranded = threading.Event()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """In the loop."""
        assert self._server is not None
        self._server.close()
        self._refusing = True
        self._reset_all()

    # -- faults, each with its end -----------------------------------------------------------

    @property
    def connections(self) -> int:
        return len(self._pairs)

    def cut(self) -> int:
        """Reset every connection and refuse new ones; returns how many were cut."""
        return self._network.call(self._cut)

    def stall(self) -> None:
        """Accept everything, carry nothing, lose nothing."""
        self._network.call(lambda: self._gate(False))

    def slow(self, delay_s: float) -> None:
        """Every chunk waits for `delay_s`."""
        self._delay_s = delay_s

    def half_close(self, end: str) -> int:
        """Close the way towards `end` (client or server) of every connection."""
        return self._network.call(lambda: self._half_close(end))

    def strand(self, marker: bytes, after: bytes = b"") -> None:
        """The next chunk with `marker` from a client, on a connection that has carried `after`
        since now, stays under way while that client is reset; `stranded` is set then. New
        connections work."""
        self.stranded.clear()
        self._strand = (marker, after)

    def pause(self) -> None:
        """Refuse new connections, whatever faults begin and end meanwhile; until `go_on`."""
        self._paused = True

    def go_on(self) -> None:
        self._paused = False

    def mend(self, *, reset: bool = False) -> None:
        """Work again; `reset` loses what was on the way together with its connection."""
        self._network.call(lambda: self._mend(reset))

    # -- in the loop -------------------------------------------------------------------------

    def _cut(self) -> int:
        self._refusing = True
        return self._reset_all()

    def _reset_all(self) -> int:
        pairs = list(self._pairs)
        for pair in pairs:
            pair.reset()
        return len(pairs)

    def _gate(self, is_open: bool) -> None:
        self._stalled = not is_open
        for pair in self._pairs:
            (pair.gate.set if is_open else pair.gate.clear)()

    def _half_close(self, end: str) -> int:
        pairs = list(self._pairs)
        for pair in pairs:
            pair.end(getattr(pair, end)[1])
        return len(pairs)

    def _mend(self, reset: bool) -> None:
        self._refusing, self._delay_s, self._strand = False, 0.0, None
        if reset:
            self._reset_all()
        self._gate(True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing or self._paused:
            self.refused += 1
            _reset(writer)
            return
        try:
            server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        pair = Pair((reader, writer), server)
        if self._stalled:
            pair.gate.clear()
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._carry(pair, True), self._carry(pair, False))
        except asyncio.CancelledError:
            pass  # the end of the network; a stream's task may not end as cancelled
        finally:
            self._pairs.discard(pair)
            pair.reset()

    async def _carry(self, pair: Pair, from_client: bool) -> None:
        (source, _), (_, sink) = pair.client, pair.server
        if not from_client:
            (source, _), (_, sink) = pair.server, pair.client
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                if from_client and self._strand is not None:
                    self._look(pair, data)
                if not pair.gate.is_set():
                    self.held += 1
                    await pair.gate.wait()
                if self._delay_s:
                    self.late += 1
                    await asyncio.sleep(self._delay_s)
                if sink in pair.ended or sink.is_closing():
                    break
                sink.write(data)
                await sink.drain()
        pair.end(sink)

    def _look(self, pair: Pair, data: bytes) -> None:
        assert self._strand is not None
        marker, after = self._strand
        pair.marked = pair.marked or after in data
        if pair.marked and marker in data:
            self._strand = None
            pair.gate.clear()
            _reset(pair.client[1])
            self.stranded.set()


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        peer = writer.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
