"""The watermark of a building: up to where event time has come. No clock is read.

It is the least of what the active gateways promise, minus the allowed lateness. A gateway is waited
for while it is near the newest one, and afterwards for `gateway_timeout_s` of *talking time*: time
in which gateways of the building were sending. So one that falls silent, or whose clock is
behind, is set aside soon, while an outage of all of them (the broker, the pipeline) sets nobody
aside: when they return, each a few seconds after the other, hardly any talking time has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.flow.event_time import NEVER_US, Timing

LONGEST_PAUSE_US = 2_000_000
"""A longer pause in what gateways send is an outage of all of them, and counts as this."""


@dataclass
class Watermark:
    """A function of what was heard, in order of arrival; moves forward, never back."""

    value_us: int = NEVER_US
    spoken_us: int = 0
    """Talking time so far."""
    sent_us: int = NEVER_US
    """When the newest message was sent, by its gateway's clock."""
    newest_us: dict[str, int] = field(default_factory=dict)
    """Gateway -> what it promised: nothing older will come."""
    near_us: dict[str, int] = field(default_factory=dict)
    """Gateway -> the talking time when it was last near the newest one."""
    _complete: Sequence[str] = field(default=(), compare=False, repr=False)

    def hear(
        self,
        gateway: str,
        until_us: int,
        sent_us: int | None,
        registered: Sequence[str],
        timing: Timing,
    ) -> int:
        """Take note of a message; returns the watermark. `sent_us` None: it was not told."""
        self._count(until_us if sent_us is None else sent_us, told=sent_us is not None)
        newest, timeout = self.newest_us, timing.gateway_timeout_us
        newest[gateway] = max(newest.get(gateway, NEVER_US), until_us)
        top, low = max(newest.values()), min(newest.values())
        if top == NEVER_US:
            return self.value_us
        if top - newest[gateway] <= timeout:
            self.near_us[gateway] = self.spoken_us
        if top - low > timeout or not self._all_heard(registered):
            low = self._least_waited_for(top, registered, timeout)
        if low != NEVER_US:
            self.value_us = max(self.value_us, low - timing.lateness_us)
        return self.value_us

    def aside(self, registered: Sequence[str], timing: Timing) -> list[str]:
        """The registered gateways that nobody waits for."""
        top, timeout = max(self.newest_us.values(), default=NEVER_US), timing.gateway_timeout_us
        return [name for name in registered if not self._waits(name, top, timeout)]

    def _all_heard(self, registered: Sequence[str]) -> bool:
        """Asked for every message: the last `registered` that were all heard is remembered."""
        if registered is not self._complete:
            if not self.newest_us.keys() >= set(registered):
                return False
            self._complete = registered
        return True

    def _least_waited_for(self, top: int, registered: Sequence[str], timeout: int) -> int:
        newest = self.newest_us
        promises = [us for name, us in newest.items() if self._waits(name, top, timeout)]
        if any(name not in newest and self._waits(name, top, timeout) for name in registered):
            return NEVER_US
        return min(promises, default=top)

    def _waits(self, name: str, top: int, timeout: int) -> bool:
        if top - self.newest_us.get(name, NEVER_US) <= timeout:
            return True
        return self.spoken_us - self.near_us.get(name, 0) < timeout

    def _count(self, sent_us: int, *, told: bool) -> None:
        if sent_us <= self.sent_us:
            return
        if self.sent_us != NEVER_US:
            pause = sent_us - self.sent_us
            self.spoken_us += min(pause, LONGEST_PAUSE_US) if told else pause
        self.sent_us = sent_us
