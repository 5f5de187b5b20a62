"""Scores as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.evaluation.scoring import Score

HEADING = ("method", "fixes", "median", "p90", "p95", "bias x", "bias y", "holds", "radius")
WORST_ROOMS = 8


def table(scores: Sequence[Score], bound_m: float | None) -> str:
    """Lengths in metres; holds: truths inside the reported 90 % radius; radius: its median."""
    rows = [HEADING, *(_row(score) for score in scores)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADING))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    if bound_m is not None:
        lines.append(
            f"Cramer-Rao bound of one fix from signal strength alone, RMS: {bound_m:.2f} m "
            "(motion, bounds and a map may go below it)"
        )
    best = min(scores, key=lambda score: score.median_m)
    if best is not scores[0]:
        lines.append(f"A CONTROL WINS: {best.name}")
    return "\n".join([*lines, *_details(scores[0])])


def as_json(scores: Sequence[Score], bound_m: float | None) -> str:
    """Every figure of every method."""
    return json.dumps(
        {"scores": [asdict(score) for score in scores], "cramer_rao_m": bound_m}, indent=2
    )


def _row(score: Score) -> tuple[str, ...]:
    holds = "" if score.holds_90 is None else f"{100 * score.holds_90:.0f} %"
    radius = "" if score.reported_median_m is None else f"{score.reported_median_m:.2f}"
    lengths = (score.median_m, score.p90_m, score.p95_m, *score.bias_m)
    return (score.name, str(score.fixes), *(f"{m:.2f}" for m in lengths), holds, radius)


def _details(score: Score) -> list[str]:
    lines = []
    if score.unknown:
        lines.append(f"unknown: {score.unknown} windows")
    if score.vertical_median_m is not None:
        lines.append(f"vertical error, median: {score.vertical_median_m:.2f} m")
    if score.rooms_right is not None:
        flaps = (
            "" if score.flaps_per_hour is None else f", {score.flaps_per_hour:.1f} flaps an hour"
        )
        lines.append(f"rooms right: {100 * score.rooms_right:.1f} %{flaps}")
        wrong = [
            (count, real, found)
            for real, row in score.confusion.items()
            for found, count in row.items()
            if real != found
        ]
        for count, real, found in sorted(wrong, reverse=True)[:WORST_ROOMS]:
            lines.append(f"  {count:6d} in {real} were put in {found or 'no room'}")
    return lines
