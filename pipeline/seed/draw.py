"""Chance that is the same everywhere: a generator for each topic, seeded by name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from pipeline.registry.ids import NAMESPACE

T = TypeVar("T")


class Draw(random.Random):
    """`Draw(seed, "work orders", code)`: topics do not disturb each other's sequence."""

    def __new__(cls, *_: object) -> Draw:
        return super().__new__(cls)

    def __init__(self, *topic: object) -> None:
        super().__init__("/".join(map(str, topic)))

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def pick(self, weighted: Sequence[tuple[T, float]]) -> T:
        return self.choices([item for item, _ in weighted], [weight for _, weight in weighted])[0]

    def between(self, first: datetime, last: datetime) -> datetime:
        """A moment, in whole seconds."""
        seconds = max(int((last - first).total_seconds()), 0)
        return first + timedelta(seconds=self.randint(0, seconds))

    def money(self, middle: float, spread: float = 0.15) -> float:
        """Cents, around `middle`."""
        return round(max(middle * self.gauss(1, spread), middle * 0.3, 0), 2)

    def hours(self, middle: float) -> timedelta:
        """Right-skewed, as repairs are; whole minutes."""
        return timedelta(minutes=max(round(60 * self.lognormvariate(0, 0.6) * middle), 5))


def uid(*path: object) -> UUID:
    """The id of a row that has no code of its own."""
    return uuid5(NAMESPACE, "seed:" + "/".join(map(str, path)))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
