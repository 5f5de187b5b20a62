"""The tasks of the readers: started, restarted one at a time, watched, stopped together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from edge_agent.pulse import Pulse
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import supervise

STUCK_S = 180.0
"""A reader's loop turns several times a second; opening a port or an adapter can take a while, and
only a driver that hangs takes this long."""
_STOP_S = 5.0


class ReaderTasks:
    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, state: ReaderState, run: Callable[[], Awaitable[None]]) -> None:
        state.turned = self._pulse.expect(_beat(state), STUCK_S)
        task = asyncio.create_task(supervise(state, run), name=state.name)
        # One that came to its end (a replay) must not be missed.
        task.add_done_callback(lambda _: self._pulse.forget(_beat(state)))
        self._tasks[state.name] = task

    async def restart(self, state: ReaderState, run: Callable[[], Awaitable[None]]) -> None:
        """With other settings. Its port is closed before it is opened again."""
        task = self._tasks[state.name]
        task.cancel()
        await asyncio.wait([task], timeout=_STOP_S)
        state.state = "starting"
        self.start(state, run)

    async def stop(self, within_s: float) -> None:
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=within_s)


def _beat(state: ReaderState) -> str:
    return f"reader {state.name}"
