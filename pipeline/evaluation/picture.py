"""A picture of positions against the truth: the plan with error lines, and the errors' curve.

SVG is written here; PNG needs Pillow (the extra `picture`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.domain.geometry import Floats
from pipeline.evaluation.plan import Plan

PLAN_PX, CURVE_PX, MARGIN_PX = 640.0, 420.0, 40.0
MOST_LINES = 2_000
FULL, TICKS = 1.0, 5
COLOURS = ("#c2410c", "#1d4ed8", "#15803d", "#7e22ce", "#be123c", "#0e7490", "#854d0e")
GREY, DARK, TRUTH = "#cccccc", "#333333", "#15803d"
Points = Sequence[tuple[float, float]]


class PictureError(Exception):
    """Why the picture cannot be written."""


@dataclass(frozen=True)
class Drawn:
    """What there is to see; places (N, 2), errors in metres by method, the first is ours."""

    truth_m: Floats
    found_m: Floats
    receivers_m: Floats
    plan: Plan
    errors_m: dict[str, Floats]


class Canvas(Protocol):
    def line(self, points: Points, colour: str, width: float) -> None: ...
    def dot(self, x: float, y: float, radius: float, colour: str) -> None: ...
    def text(self, x: float, y: float, words: str, colour: str) -> None: ...


def write(path: Path, drawn: Drawn) -> None:
    """Raises PictureError for an unknown ending, a missing library or a file that cannot be."""
    width, height = PLAN_PX + CURVE_PX + 3 * MARGIN_PX, PLAN_PX + 2 * MARGIN_PX
    try:
        if path.suffix.lower() == ".svg":
            svg = _Svg()
            _draw(svg, drawn)
            path.write_text(svg.whole(width, height), encoding="utf-8")
        elif path.suffix.lower() == ".png":
            png = _Png(width, height)
            _draw(png, drawn)
            png.image.save(path)
        else:
            raise PictureError(f"{path}: the name must end in .svg or .png")
    except OSError as error:
        raise PictureError(f"{path}: cannot be written: {error.strerror}") from None


def _draw(canvas: Canvas, drawn: Drawn) -> None:
    _draw_plan(canvas, drawn)
    _draw_curves(canvas, drawn)


def _draw_plan(canvas: Canvas, drawn: Drawn) -> None:
    known = np.isfinite(drawn.truth_m).all(axis=1) & np.isfinite(drawn.found_m).all(axis=1)
    truth, found = drawn.truth_m[known], drawn.found_m[known]
    every = np.concatenate([truth, found, drawn.receivers_m[:, :2], drawn.plan.corners_m])
    low, high = every.min(axis=0), every.max(axis=0)
    scale = PLAN_PX / max(float((high - low).max()), 1e-3)

    def px(place: Floats) -> tuple[float, float]:
        x, y = (place - low) * scale
        return MARGIN_PX + float(x), MARGIN_PX + PLAN_PX - float(y)

    for area in drawn.plan.areas:
        canvas.line([px(c) for c in [*area.polygon, area.polygon[0]]], DARK, 1.0)
        if area.name:
            canvas.text(*px(area.polygon.mean(axis=0)), area.name, DARK)
    for x1, y1, x2, y2 in drawn.plan.walls[:, :4]:
        canvas.line([px(np.array([x1, y1])), px(np.array([x2, y2]))], DARK, 1.5)
    step = max(1, len(truth) // MOST_LINES)
    for real, ours in zip(truth[::step], found[::step], strict=True):
        canvas.line([px(real), px(ours)], GREY, 0.7)
    for real, ours in zip(truth[::step], found[::step], strict=True):
        canvas.dot(*px(real), 1.6, TRUTH)
        canvas.dot(*px(ours), 1.6, COLOURS[0])
    for place in drawn.receivers_m[:, :2]:
        canvas.dot(*px(place), 5.0, COLOURS[1])
    words = (("truth", TRUTH), ("found", COLOURS[0]), ("receiver", COLOURS[1]))
    for i, (word, colour) in enumerate(words):
        canvas.text(MARGIN_PX + 80 * i, 20, word, colour)
    canvas.text(MARGIN_PX + 240, 20, f"{(high - low)[0]:.1f} x {(high - low)[1]:.1f} m", DARK)


def _draw_curves(canvas: Canvas, drawn: Drawn) -> None:
    """The share of fixes (up) with at most an error (to the right)."""
    left, bottom = 2 * MARGIN_PX + PLAN_PX, MARGIN_PX + CURVE_PX
    ours = next(iter(drawn.errors_m.values()))
    reach = max(float(np.quantile(ours[np.isfinite(ours)], 0.99)) * 1.5, 0.1)
    canvas.line([(left, bottom - CURVE_PX), (left, bottom), (left + CURVE_PX, bottom)], DARK, 1.0)
    for i in range(TICKS + 1):
        share = i / TICKS
        canvas.text(left + share * CURVE_PX - 8, bottom + 16, f"{share * reach:.1f} m", DARK)
        canvas.text(left - 30, bottom - share * CURVE_PX + 4, f"{100 * share:.0f} %", DARK)
    for i, (name, errors) in enumerate(drawn.errors_m.items()):
        finite = np.sort(errors[np.isfinite(errors)])
        if not len(finite):
            continue
        colour = COLOURS[i % len(COLOURS)]
        shares = np.linspace(0.0, FULL, 101)
        x = np.minimum(np.quantile(finite, shares) / reach, FULL)
        canvas.line(
            [(left + a * CURVE_PX, bottom - b * CURVE_PX) for a, b in zip(x, shares, strict=True)],
            colour,
            2.5 if i == 0 else 1.0,
        )
        canvas.text(left, bottom + 40 + 16 * i, name, colour)


class _Svg:
    def __init__(self) -> None:
        self._parts: list[str] = []

    def line(self, points: Points, colour: str, width: float) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        )

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def text(self, x: float, y: float, words: str, colour: str) -> None:
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(words)}</text>')

    def whole(self, width: float, height: float) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" '
            'fill="white"/>\n' + "\n".join(self._parts) + "\n</svg>\n"
        )


class _Png:
    def __init__(self, width: float, height: float) -> None:
        try:
            from PIL import Image, ImageDraw  # noqa: PLC0415
        except ImportError:
            raise PictureError(
                "a PNG needs Pillow (pip install pillow); .svg needs nothing"
            ) from None
        self.image: Any = Image.new("RGB", (int(width), int(height)), "white")
        self._pen: Any = ImageDraw.Draw(self.image)

    def line(self, points: Points, colour: str, width: float) -> None:
        self._pen.line(list(points), fill=colour, width=max(1, round(width)))

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def text(self, x: float, y: float, words: str, colour: str) -> None:
        self._pen.text((x, y - 10), words, fill=colour)
