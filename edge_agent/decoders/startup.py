"""What the hosts of streaming readers share: configure step by step, start, then listen.

Such a reader sends by itself once started. When it falls silent it may have lost power: the whole
sequence is run again, which is harmless when it was only bored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.decoders.readings import EventName, Frame, ReaderEvent, Reading
from edge_agent.decoders.stream import CountingSource

_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Step:
    """One request. `key`: what its answer carries (command, opcode). Times in seconds.

    `needed`: without an answer begin again; otherwise go on. `pause_s`: from the answer to the
    next request.
    """

    key: int
    frame: bytes
    name: str
    timeout_s: float = 0.5
    pause_s: float = 0.0
    needed: bool = True


class Startup:
    """Usage: `send(now)` when due, `heard(now)` for every verified frame, `answered(key, now)` for
    those that may answer a step."""

    def __init__(
        self, steps: Sequence[Step], *, silence_s: float, failures_before_notice: int = 3
    ) -> None:
        self._steps = list(steps)
        self._silence_s = silence_s
        self._failures_before_notice = failures_before_notice
        self._index = 0
        self._asked = False
        self._detour: Step | None = None
        self._failures = 0
        self._events: list[ReaderEvent] = []
        self.wake_at_s = float("-inf")

    @property
    def step(self) -> Step | None:
        """The step whose turn it is; None: started, listening."""
        if self._detour is not None:
            return self._detour
        return self._steps[self._index] if self._index < len(self._steps) else None

    def events(self) -> list[ReaderEvent]:
        noticed, self._events = self._events, []
        return noticed

    def send(self, now_s: float) -> bytes:
        """The request that is due; empty while an answer may still come."""
        if now_s < self.wake_at_s:
            return b""
        if self.step is None:
            self._index = 0
        elif self._asked:
            self._missed(self.step)
        step = self.step
        if step is None:
            self.wake_at_s = now_s + self._silence_s
            return b""
        self._asked = True
        self.wake_at_s = now_s + step.timeout_s
        return step.frame

    def _missed(self, step: Step) -> None:
        self._asked = False
        if not step.needed:
            self._advance()
            return
        self._detour, self._index = None, 0
        self._failures += 1
        if self._failures == self._failures_before_notice:
            self._events.append(ReaderEvent("no_answer", f"no answer to {step.name}"))

    def _advance(self) -> None:
        if self._detour is not None:
            self._detour = None
        else:
            self._index += 1

    def heard(self, now_s: float) -> None:
        self._failures = 0
        if self.step is None:
            self.wake_at_s = now_s + self._silence_s

    def answered(self, key: int, now_s: float) -> Step | None:
        """The step that this frame answers, if it does; the next one is due after its pause."""
        step = self.step
        if step is None or not self._asked or step.key != key:
            return None
        self._asked = False
        self._advance()
        self.wake_at_s = now_s + (self._silence_s if self.step is None else step.pause_s)
        return step

    def insert(self, step: Step, now_s: float) -> None:
        """Do this first, then go on where we are."""
        self._detour, self._asked, self.wake_at_s = step, False, now_s

    def restart(self, now_s: float, *, after_s: float = 0.0) -> None:
        """Run the whole sequence again."""
        self._detour, self._index, self._asked = None, 0, False
        self.wake_at_s = now_s + after_s


class Notices:
    """Lets an event through once per `interval_s`: a reader may repeat it many times a second."""

    def __init__(self, interval_s: float = 60.0) -> None:
        self._interval_s = interval_s
        self._told_at_s: dict[tuple[str, int | None, int | None], float] = {}

    def once(self, event: ReaderEvent, now_s: float) -> list[ReaderEvent]:
        key = (event.name, event.antenna, event.code)
        told_at_s = self._told_at_s.get(key)
        if told_at_s is not None and now_s - told_at_s < self._interval_s:
            return []
        if len(self._told_at_s) >= _REMEMBERED:
            self._told_at_s.clear()
        self._told_at_s[key] = now_s
        return [event]


class StreamingHost(ABC):
    """A readings.Conversation around a decoder and a start-up; `_take` says what a frame means."""

    def __init__(
        self, decoder: CountingSource, steps: Sequence[Step], *, silence_s: float, stop: bytes
    ) -> None:
        self._decoder = decoder
        self._startup = Startup(steps, silence_s=silence_s)
        self._notices = Notices()
        self._stop = stop
        self.frames = 0
        self.wake_at_s = float("-inf")

    @abstractmethod
    def _take(self, frame: Frame, now_s: float) -> Sequence[Reading | ReaderEvent]:
        """What one frame means; answers are handed to the start-up here."""

    @property
    def dropped_bytes(self) -> int:
        return self._decoder.dropped_bytes

    def events(self) -> list[ReaderEvent]:
        return self._startup.events()

    def stop(self) -> bytes:
        return self._stop

    def send(self, now_s: float) -> bytes:
        request = self._startup.send(now_s)
        self.wake_at_s = self._startup.wake_at_s
        return request

    def receive(self, data: bytes, now_s: float) -> list[Reading | ReaderEvent]:
        frames = self._decoder.feed(data, now_s)
        if self._decoder.verified != self.frames:
            self.frames = self._decoder.verified
            self._startup.heard(now_s)
        found = [item for frame in frames for item in self._take(frame, now_s)]
        self.wake_at_s = self._startup.wake_at_s
        return found

    def _tell(
        self, name: EventName, detail: str, now_s: float, *, code: int | None = None
    ) -> list[ReaderEvent]:
        return self._notices.once(ReaderEvent(name, detail, None, code), now_s)
