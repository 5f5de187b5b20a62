"""Pick a free port on the loopback interface."""

from __future__ import annotations

import errno
import random
import socket
from pathlib import Path

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _HIGHEST = 15_000, 65_535


def free_port() -> int:
    """A port that nobody listens on now.

    It lies outside the range from which the kernel takes the near ends of connections. Inside
    it, a client that keeps trying to reconnect to a server that is down can be given that very
    port, connect to itself, and so keep the server from coming back.
    """
    near_ends = _ephemeral()
    candidates = [port for port in range(_LOWEST, _HIGHEST + 1) if port not in near_ends]
    for port in random.SystemRandom().sample(candidates, k=len(candidates)):
        if is_free(port):
            return port
    with socket.socket() as probe:  # the kernel's range covers everything: take what it gives
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As servers do: connections of a server that was here before may still linger.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _ephemeral() -> range:
    try:
        low, high = map(int, _EPHEMERAL.read_text().split())
    except (OSError, ValueError):
        low, high = 32_768, 60_999
    return range(low, high + 1)
