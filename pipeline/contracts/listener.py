"""The small HTTP server for those who watch a program: /metrics, /health, /ready, /live.

For a trusted network: no TLS, no password, and names of buildings can be read. It can only be
asked; a client that is slow, silent or one of many costs a thread for a while, never the program.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipeline.contracts.address import Address
from pipeline.contracts.health import Health

log = logging.getLogger(__name__)
MOST_CLIENTS = 8
"""At a time; further ones are turned away."""
LONGEST_REQUEST_S = 10.0
_LOOK_S = 0.5
_TEXT = "text/plain; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"

Page = Callable[[], tuple[HTTPStatus, str, bytes]]
"""Status, content type, body."""


class ListenError(Exception):
    """Nobody can be listened to at this address; says why."""


def metrics_page(render: Callable[[], bytes]) -> Page:
    """What `render` gives, in the text format of Prometheus."""
    return lambda: (HTTPStatus.OK, _METRICS, render())


def health_page(ask: Callable[[], Health]) -> Page:
    """200 or 503 and the checks."""

    def page() -> tuple[HTTPStatus, str, bytes]:
        health = ask()
        status = HTTPStatus.OK if health.good else HTTPStatus.SERVICE_UNAVAILABLE
        return status, "application/json", health.encode()

    return page


class Listener:
    """Serves `pages` by path. Port 0: any that is free, see `address`. Raises ListenError."""

    def __init__(
        self,
        address: Address,
        pages: Mapping[str, Page],
        *,
        most_clients: int = MOST_CLIENTS,
        longest_request_s: float = LONGEST_REQUEST_S,
    ) -> None:
        try:
            self._server = _Server(address, dict(pages), most_clients, longest_request_s)
        except OSError as error:
            raise ListenError(
                f"cannot listen at {address}: {error.strerror or error}; choose another address"
            ) from None
        self.address = Address(address.host, self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_S,), name="listener", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: Address, pages: dict[str, Page], most_clients: int, longest_request_s: float
    ) -> None:
        self.pages = pages
        self._free = threading.BoundedSemaphore(most_clients)
        self._longest_request_s = longest_request_s
        self._began_s: dict[socket.socket, float] = {}
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        super().__init__((address.host, address.port), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of our own name, which may wait for a name server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._began_s[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._forget(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(request)

    def _forget(self, request: Any) -> None:
        self._began_s.pop(request, None)
        self._free.release()

    def service_actions(self) -> None:
        """Hang up on whoever takes too long, even if they say a byte now and then."""
        limit_s = time.monotonic() - self._longest_request_s
        for request, began_s in list(self._began_s.items()):
            if began_s < limit_s:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "biotrakr", ""

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            paths = " ".join(self.server.pages)
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, f"not here; there is: {paths}\n".encode())
            return
        try:
            answer = page()
        except Exception as error:
            log.exception("%s cannot be told", self.path)
            text = f"cannot be told: {type(error).__name__}\n".encode()
            answer = HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, text
        self._answer(*answer)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """A line for every scrape is of no use to anybody."""
