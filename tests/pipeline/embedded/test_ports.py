"""Free ports, outside the range the kernel gives to the near ends of connections."""

from __future__ import annotations

import socket

import pytest

from pipeline.embedded import ports


def test_a_port_outside_the_kernels_range() -> None:
    for _ in range(20):
        assert ports.free_port() not in ports._ephemeral()


def test_when_the_kernel_may_take_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_ephemeral", lambda: range(1024, 65_536))
    assert ports.is_free(ports.free_port())


def test_a_port_somebody_listens_on() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not ports.is_free(server.getsockname()[1])
