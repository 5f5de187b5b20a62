"""Fault points for the chaos tests: the process kills itself at a named place.

`BIOTRAKR_FAULT=inside-transaction:3` means: kill -9 at the third time that point is passed. Unset,
a fault point costs one function call.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from pipeline.cli.errors import CliError

POINTS = (
    "before-transaction",
    "inside-transaction",
    "after-transaction",
    "between-epoch-and-ack",
    "between-log-and-ack",
)


def fault_from_environment() -> Callable[[str], None]:
    wanted = os.environ.get("BIOTRAKR_FAULT")
    if not wanted:
        return lambda _: None
    point, _, times = wanted.partition(":")
    if point not in POINTS or not times.isdigit():
        raise CliError(f"BIOTRAKR_FAULT: use one of {', '.join(POINTS)}, then :N")
    left = int(times)

    def strike(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if left == 0:
                os.write(2, f"fault point {point}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    return strike
