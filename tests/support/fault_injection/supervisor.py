"""What systemd does on a real machine: start again what has ended, and remember how it ended."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from signal import SIGKILL

from pipeline.cli.stack import Child

RESTART_S = 0.2
_GRACE_S = 5.0


@dataclass(frozen=True)
class Death:
    """`excused`: a fault was at work after which this program may end by itself."""

    name: str
    code: int
    excused: bool
    last_words: str


class Supervisor:
    """Watches `children`; what is `held` stays as it is."""

    def __init__(self, children: dict[str, Child]) -> None:
        self._children = children
        self._locks = {name: threading.Lock() for name in children}
        self._excuses: Counter[tuple[str, str]] = Counter()
        self._excused_until_s: dict[tuple[str, str], float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.deaths: list[Death] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(10)

    @contextmanager
    def held(self, name: str) -> Iterator[Child]:
        """The child, for whoever kills and starts it himself."""
        with self._locks[name]:
            yield self._children[name]

    def excuse(self, name: str, because: str) -> None:
        """It may end by itself when `because` (a regular expression) is found in its last words,
        until `accuse` and a little longer."""
        self._excuses[name, because] += 1

    def accuse(self, name: str, because: str) -> None:
        self._excuses[name, because] -= 1
        self._excused_until_s[name, because] = time.monotonic() + _GRACE_S

    def note(self, child: Child) -> None:
        """Write down how it ended."""
        name, code = child.name, child.process.returncode
        said, now_s = child.last_words(3), time.monotonic()
        excused = any(
            of == name
            and re.search(because, said)
            and (
                self._excuses[of, because] > 0
                or now_s < self._excused_until_s.get((of, because), 0.0)
            )
            for of, because in list(self._excuses)
        )
        self.deaths.append(Death(name, code, excused, child.last_words(40)))

    @property
    def unexplained(self) -> list[Death]:
        """Ends by themselves without an excuse."""
        return [d for d in self.deaths if d.code != -SIGKILL and not d.excused]

    def _watch(self) -> None:
        while not self._stopping.wait(0.05):
            for name, child in self._children.items():
                lock = self._locks[name]
                if child.running or not lock.acquire(blocking=False):
                    continue
                try:
                    if not child.running:
                        self.note(child)
                        if self._stopping.wait(RESTART_S):
                            return
                        child.restart()
                finally:
                    lock.release()
