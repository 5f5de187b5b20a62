"""Figures of a benchmark: medians with their spread, and the Markdown table they end in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Figure:
    """One line of the table. `target` is a least value, or with `at_most` a largest one."""

    name: str
    values: Sequence[float]
    unit: str
    target: float | None = None
    at_most: bool = False
    baseline: float | None = None
    """The naive flow's value of the same kind, when there is one."""
    notes: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool | None:
        if self.target is None:
            return None
        return self.median <= self.target if self.at_most else self.median >= self.target

    def cells(self) -> list[str]:
        spread = f" ({shown(min(self.values))} to {shown(max(self.values))})"
        measured = shown(self.median) + (spread if len(self.values) > 1 else "")
        target = ""
        if self.target is not None:
            sign = "at most" if self.at_most else "at least"
            goal = f"{self.target:g}" if self.target < 1e4 else shown(self.target)
            target = f"{sign} {goal}" + ("" if self.is_met else ", **missed**")
        ratio = f"{shown(self.median / self.baseline)} x" if self.baseline else ""
        return [self.name, f"{measured} {self.unit}", target, ratio]


HEAD = ["figure", "measured, median (spread)", "target", "against the naive flow"]


def table(figures: Sequence[Figure]) -> str:
    """Markdown; the notes follow as a list."""
    rows = [HEAD, ["---"] * len(HEAD), *(figure.cells() for figure in figures)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    notes = [f"- {figure.name}: {'; '.join(figure.notes)}" for figure in figures if figure.notes]
    return "\n".join([*lines, "", *notes] if notes else lines)


def shown(value: float) -> str:
    """Three significant digits; thousands and millions by their letter."""
    for limit, letter in ((1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            scaled = value / (1e6 if letter == " M" else 1e3)
            return f"{float(f'{scaled:.3g}'):g}{letter}"
    return f"{float(f'{value:.3g}'):g}"


def between_markers(text: str, name: str, content: str) -> str:
    """`text` with what stands between `<!-- name -->` and `<!-- /name -->` replaced.

    Raises ValueError when a marker is missing.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"the file has no {begin} ... {end}; add them where the table belongs")
    return f"{before}{begin}\n{content}\n{end}{after}"
