"""Keeps a reader running: whatever ends it is reported, and it starts again after a pause."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from edge_agent.errors import ReaderLostError
from edge_agent.logs import fields
from edge_agent.readers.state import ReaderState

log = logging.getLogger("edge.reader")


class Backoff:
    """Growing pauses in seconds: doubled each time up to `most_s`, with jitter downwards."""

    def __init__(self, first_s: float = 0.5, most_s: float = 30.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._next_s = first_s

    def pause_s(self) -> float:
        pause = self._next_s * (0.5 + 0.5 * random.random())
        self._next_s = min(self._next_s * 2, self._most_s)
        return pause

    def reset(self) -> None:
        self._next_s = self._first_s


async def supervise(
    state: ReaderState,
    run: Callable[[], Awaitable[None]],
    *,
    backoff: Backoff | None = None,
    stable_s: float = 60.0,
) -> None:
    """Call `run` again and again; return when it does. A run of `stable_s` resets the pauses."""
    backoff = backoff or Backoff()
    while True:
        began_s = time.monotonic()
        state.turned()
        try:
            await run()
        except Exception as error:  # a reader must never take the agent with it
            _report(state, error)
        else:
            return
        if time.monotonic() - began_s >= stable_s:
            backoff.reset()
        state.turned()
        await asyncio.sleep(backoff.pause_s())
        state.restarts += 1


def _report(state: ReaderState, error: Exception) -> None:
    silent = isinstance(error, ReaderLostError) and error.silent
    state.state = "silent" if silent else "failed"
    state.error = str(error) or type(error).__name__
    log.warning("reader lost %s", fields(reader=state.name, error=state.error))
