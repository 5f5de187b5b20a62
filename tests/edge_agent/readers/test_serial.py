"""Real pyserial on pseudo-terminals: readers that answer, err, fall silent, vanish and return."""

import asyncio
import contextlib

import pytest

from edge_agent.decoders import m100, r2000
from edge_agent.decoders.m100_host import M100Conversation
from edge_agent.decoders.r2000_host import R2000Conversation
from edge_agent.errors import ReaderLostError
from edge_agent.readers.serial import SerialReader
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import Backoff, supervise

R2000_TAG = bytes.fromhex("3000e200301666130121155074ef45")
M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")
NO_TAG = bytes.fromhex("bb01ff000115167e")


class R2000:
    """Answers as a four-port reader would; `missing` antennas are not connected."""

    def __init__(self, missing=()):
        self.missing = set(missing)
        self.silent = False
        self.antenna = 0
        self.commands = []
        self._decoder = r2000.Decoder()

    def __call__(self, data):
        frames = self._decoder.framer.feed(data)
        self.commands += [frame[3] for frame in frames]
        return b"" if self.silent else b"".join(self._reply(f[3], f[4:-1]) for f in frames)

    def _reply(self, command, data):
        if command == r2000.SET_ANTENNA:
            self.antenna = data[0]
        if command != r2000.INVENTORY:
            return r2000.encode(command, b"\x10")
        if self.antenna in self.missing:
            return r2000.encode(command, b"\x22")
        tag = r2000.encode(command, bytes([0x04 | self.antenna]) + R2000_TAG)
        end = r2000.encode(command, bytes([self.antenna]) + bytes.fromhex("001100000001"))
        return b"\x00\xa0" + tag + end  # with a false header, as a noisy line gives it


class M100:
    """Sends a tag and an empty round for every multi-poll, then nothing until asked again."""

    def __init__(self):
        self.silent = False
        self.polls = 0

    def __call__(self, data):
        if m100.encode(m100.MULTI_POLL, bytes.fromhex("222710")) not in data or self.silent:
            return b""
        self.polls += 1
        return M100_TAG[:7] + M100_TAG[7:] + NO_TAG


class Site:
    """A supervised reader in a running loop, and what it heard."""

    def __init__(self, device, conversation, silent_after_s=0.6):
        self.state = ReaderState("portal", "test")
        self.heard = []
        self.reader = SerialReader(
            self.state,
            str(device.link),
            115_200,
            conversation,
            lambda receiver, reading: self.heard.append((receiver, reading)),
            silent_after_s=silent_after_s,
        )

    @contextlib.asynccontextmanager
    async def running(self):
        backoff = Backoff(first_s=0.05, most_s=0.2)
        task = asyncio.create_task(supervise(self.state, self.reader.run, backoff=backoff))
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(self, condition, seconds=8.0):
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)


def fast_r2000(*antennas):
    def make():
        return R2000Conversation(
            antennas, reply_timeout_s=0.1, round_timeout_s=0.1, reset_pause_s=0.1
        )

    return make


def fast_m100():
    return M100Conversation(silence_s=0.1)


PROTOCOLS = pytest.mark.parametrize(
    "answer, conversation, receiver",
    [(R2000, fast_r2000(1), "portal/1"), (M100, fast_m100, "portal")],
    ids=["r2000", "m100"],
)


@PROTOCOLS
def test_tags_come_out(plug_in, answer, conversation, receiver):
    async def check():
        async with Site(plug_in(answer()), conversation).running() as site:
            await site.until(lambda: len(site.heard) >= 5)
            assert {name for name, _ in site.heard} == {receiver}
            assert site.state.state == "running"

    asyncio.run(check())


def test_every_antenna_has_its_turn(plug_in):
    async def check():
        async with Site(plug_in(R2000()), fast_r2000(1, 2, 4)).running() as site:
            await site.until(lambda: len(site.heard) >= 6)
            names = [name for name, _ in site.heard]
            assert names[:6] == ["portal/1", "portal/2", "portal/4"] * 2

    asyncio.run(check())


def test_a_missing_antenna_does_not_stop_the_others(plug_in, caplog):
    async def check():
        async with Site(plug_in(R2000(missing=[1])), fast_r2000(1, 2)).running() as site:
            await site.until(lambda: len(site.heard) >= 5)
            assert {name for name, _ in site.heard} == {"portal/1"}

    asyncio.run(check())
    assert len([r for r in caplog.records if "antenna_missing" in r.message]) == 1


@PROTOCOLS
def test_a_reader_that_falls_silent_is_reported_and_comes_back(
    plug_in, answer, conversation, receiver
):
    async def check():
        script = answer()
        async with Site(plug_in(script), conversation).running() as site:
            await site.until(lambda: site.heard)
            script.silent = True
            await site.until(lambda: site.state.state == "silent")
            assert "no valid answer" in site.state.error
            script.silent = False
            site.heard.clear()
            await site.until(lambda: site.heard)
            assert site.state.state == "running" and site.state.error is None
            assert site.state.restarts >= 1

    asyncio.run(check())


def test_a_silent_r2000_is_reset_before_the_port_is_given_up(plug_in):
    async def check():
        script = R2000()
        async with Site(plug_in(script), fast_r2000(1), silent_after_s=5).running() as site:
            await site.until(lambda: site.heard)
            script.silent = True
            await site.until(lambda: r2000.RESET in script.commands)
            assert site.state.state == "running"
            script.silent = False
            site.heard.clear()
            await site.until(lambda: site.heard)
            assert site.state.restarts == 0

    asyncio.run(check())


@PROTOCOLS
def test_a_port_that_vanishes_is_reported_and_found_again(plug_in, answer, conversation, receiver):
    async def check():
        device = plug_in(answer())
        async with Site(device, conversation).running() as site:
            await site.until(lambda: site.heard)
            device.unplug()
            await site.until(lambda: site.state.state == "failed")
            await site.until(lambda: "could not open port" in site.state.error)
            device.plug()
            site.heard.clear()
            await site.until(lambda: site.heard)
            assert site.state.state == "running"

    asyncio.run(check())


def test_nothing_but_noise_is_silence_and_is_counted(plug_in):
    async def check():
        device = plug_in(lambda data: b"\xa0noise" * 3)
        site = Site(device, fast_r2000(1), silent_after_s=0.3)
        with pytest.raises(ReaderLostError, match="no valid answer") as caught:
            await site.reader.run()
        assert caught.value.silent
        assert site.state.rejected_bytes > 0 and site.heard == []

    asyncio.run(check())


def test_a_port_that_is_taken_is_refused(plug_in):
    async def check():
        device = plug_in(M100())
        async with Site(device, fast_m100).running() as first:
            await first.until(lambda: first.heard)
            second = Site(device, fast_m100)
            with pytest.raises(Exception, match="lock"):
                await second.reader.run()

    asyncio.run(check())


def test_stopping_stops_the_module(plug_in):
    async def check():
        device = plug_in(M100())
        async with Site(device, fast_m100).running() as site:
            await site.until(lambda: site.heard)
        await site.until(lambda: device.heard.endswith(bytes.fromhex("bb00280000287e")))

    asyncio.run(check())


def test_an_event_that_is_repeated_is_counted_and_logged_once(plug_in, caplog):
    async def check():
        damaged = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620b6e7e")
        async with Site(plug_in(lambda data: damaged * 5), fast_m100).running() as site:
            await site.until(lambda: site.state.events.get("bad_tag_crc", 0) >= 20)
            assert site.heard == []
            assert site.state.health().counters["bad_tag_crc"] >= 20

    asyncio.run(check())
    assert len([r for r in caplog.records if "bad_tag_crc" in r.message]) == 1
