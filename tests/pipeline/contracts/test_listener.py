"""The listener: pages by path, and clients that are slow, silent, many or gone."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pipeline.contracts.address import Address
from pipeline.contracts.health import Check, Health
from pipeline.contracts.listener import (
    Listener,
    ListenError,
    Page,
    health_page,
    metrics_page,
)

LOOPBACK = Address("127.0.0.1", 0)
Serve = Callable[..., Listener]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(pages: dict[str, Page], **limits: float) -> Listener:
            listener = Listener(LOOPBACK, pages, **limits)  # type: ignore[arg-type]
            listener.start()
            stack.callback(listener.stop)
            return listener

        yield start


def ask(listener: Listener, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", listener.address.port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def check(age_s: float) -> Check:
    return Check("sink", age_s, 30.0, "results wait", "look at the database")


def test_pages(serve: Serve) -> None:
    ages = [1.25]
    listener = serve(
        {
            "/metrics": metrics_page(lambda: b"up 1\n"),
            "/health": health_page(lambda: Health([check(ages[0])])),
        }
    )
    status, kind, body = ask(listener, "/metrics?name=x")
    assert (status, kind, body) == (200, "text/plain; version=0.0.4; charset=utf-8", b"up 1\n")
    status, kind, body = ask(listener, "/health")
    assert (status, kind) == (200, "application/json")
    told = {"name": "sink", "good": True, "age_s": 1.2, "limit_s": 30.0, "detail": "results wait"}
    assert json.loads(body) == {"status": "good", "checks": [told]}
    ages[0] = 30.1
    status, _, body = ask(listener, "/health")
    assert status == 503
    told |= {"good": False, "age_s": 30.1, "advice": "look at the database"}
    assert json.loads(body) == {"status": "failing", "checks": [told]}


def test_what_is_not_there(serve: Serve) -> None:
    listener = serve({"/metrics": metrics_page(lambda: b"")})
    for path in ("/", "/metrics/", "/../metrics", "/etc/passwd", "/%6detrics", "*"):
        status, _, body = ask(listener, path)
        assert (status, body) == (404, b"not here; there is: /metrics\n")
    assert ask(listener, "/metrics", "POST")[0] == 501
    assert ask(listener, "/metrics", "DELETE")[0] == 501


def test_a_page_that_fails_tells_the_log_and_not_the_client(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> bytes:
        raise OSError("/secret/path")

    listener = serve({"/metrics": metrics_page(broken)})
    status, _, body = ask(listener, "/metrics")
    assert (status, body) == (500, b"cannot be told: OSError\n")
    assert "/secret/path" in caplog.text


def test_rubbish_and_clients_that_go_away(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    listener = serve({"/metrics": metrics_page(lambda: bytes(8 << 20))})
    for said in (
        b"",
        b"\0" * 100,
        b"GET",
        b"GET " + b"x" * 70_000,
        b"GET /metrics HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", listener.address.port)) as client:
            client.sendall(said)
    assert ask(listener, "/metrics")[0] == 200
    assert capfd.readouterr().err == ""


def test_clients_that_say_little_are_hung_up_on(serve: Serve) -> None:
    """Even one that says a byte now and then, and one that takes nothing."""
    listener = serve({"/metrics": metrics_page(lambda: bytes(32 << 20))}, longest_request_s=0.3)
    place = ("127.0.0.1", listener.address.port)
    with socket.create_connection(place) as drip, socket.create_connection(place) as deaf:
        deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        began_s = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began_s < 5:
                drip.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - began_s < 3
        deaf.settimeout(5)
        with pytest.raises(OSError):  # cut off before the end, or reset
            _read_all(deaf, 32 << 20)
    assert ask(listener, "/nothing")[0] == 404


def _read_all(client: socket.socket, size: int) -> None:
    while size > 0:
        data = client.recv(1 << 20)
        if not data:
            raise ConnectionError("cut off")
        size -= len(data)


def test_more_clients_than_it_serves(serve: Serve) -> None:
    listener = serve({"/metrics": metrics_page(lambda: b"up 1\n")}, most_clients=2)
    place = ("127.0.0.1", listener.address.port)
    with ExitStack() as clients:
        _, _, third = (clients.enter_context(socket.create_connection(place)) for _ in range(3))
        third.settimeout(5)
        assert third.recv(1) == b""  # turned away at once
    deadline = time.monotonic() + 5
    while True:  # the two are gone: there is room again
        try:
            assert ask(listener, "/metrics")[0] == 200
            return
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_port_that_is_taken(serve: Serve) -> None:
    taken = serve({}).address
    with pytest.raises(ListenError, match=rf"cannot listen at {taken}: Address already in use"):
        Listener(taken, {})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", Address("127.0.0.1", 9464)),
        ("[::1]:0", Address("::1", 0)),
        ("localhost:65535", Address("localhost", 65535)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "9464", ":9464", "host", "host:", "host:x", "host:65536"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"must look like 127\.0\.0\.1:9464"):
        Address.parse(text)


def test_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        listener = Listener(Address("::1", 0), {"/m": metrics_page(lambda: b"x")})
    except ListenError as error:
        pytest.skip(str(error))
    listener.start()
    connection = http.client.HTTPConnection("::1", listener.address.port, timeout=5)
    connection.request("GET", "/m")
    assert connection.getresponse().read() == b"x"
    connection.close()
    listener.stop()
