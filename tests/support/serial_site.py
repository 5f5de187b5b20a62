"""A supervised reader on a pseudo-terminal or in a network, as the settings make it."""

import asyncio
import contextlib

from edge_agent.decoders.registry_serial import PROTOCOLS
from edge_agent.readers.build import Surroundings, live_reader
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import Backoff, supervise
from edge_agent.settings import SerialSettings


class Site:
    """A supervised reader and what it heard; the script talks as long as it runs."""

    def __init__(self, script, port, **settings):
        self.script, self.say = script, None
        self.state = ReaderState("r", script.protocol)
        self.heard, self.values = [], []
        row = PROTOCOLS[script.protocol]
        silent = {} if row.silence_is_normal else {"silent_after_s": 0.5}
        options = {"name": "r", "kind": "serial", "protocol": script.protocol, "port": port}
        around = Surroundings(
            gateway="g1",
            heard=lambda receiver, reading: self.heard.append((reading.tag, receiver)),
            measured=self.values.append,
        )
        self.settings = SerialSettings.model_validate(options | silent | script.settings | settings)
        self.run = live_reader(self.settings, self.state, around)

    @contextlib.asynccontextmanager
    async def running(self, say):
        backoff = Backoff(first_s=0.05, most_s=0.1)
        tasks = [
            asyncio.create_task(supervise(self.state, self.run, backoff=backoff)),
            asyncio.create_task(self._talk(say)),
        ]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _talk(self, say):
        while True:
            with contextlib.suppress(OSError, TypeError):  # unplugged
                if data := self.script.tick():
                    say(data)
            await asyncio.sleep(self.script.period_s)

    async def until(self, condition, seconds=9.0):
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    async def hears(self):
        self.heard.clear()
        await self.until(lambda: len(self.heard) >= 3)
