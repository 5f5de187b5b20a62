"""The floor plans as SVG text: rooms, walls, receivers, portals, and the ways of some assets."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

import numpy as np

from pipeline.simulation.hospital import Hospital
from pipeline.simulation.walks import Walks

SCALE = 16
"""Pixels a metre."""
MARGIN_M, GAP_M = 1.0, 3.0
FILLS = {
    "patient": "#eaf3fb", "treatment": "#e9f5ec", "storage": "#f5f0e3", "cleaning": "#e2f2f3",
    "workshop": "#efe9f5", "corridor": "#f7f7f7", "office": "#fbf6f1", "other": "#eeeeee",
}  # fmt: skip
COLOURS = ("#c2410c", "#1d4ed8", "#15803d", "#7e22ce", "#be123c", "#0e7490")


def draw(hospital: Hospital, walks: Walks | None = None, assets: int = 4) -> str:
    """All floors, the lowest at the bottom, with the ways of the first `assets` assets."""
    plan = hospital.scenario.hospital
    width = (plan.length_m + 2 * MARGIN_M) * SCALE
    height = (plan.floors * (plan.depth_m + GAP_M) + MARGIN_M) * SCALE
    parts = [part for floor in range(plan.floors) for part in _floor(hospital, floor)]
    if walks is not None:
        for asset in range(min(assets, walks.assets)):
            parts += _way(hospital, walks, asset)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'font-family="sans-serif" font-size="10">\n<rect width="100%" height="100%" '
        f'fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _floor(hospital: Hospital, floor: int) -> Iterator[str]:
    for space in hospital.spaces:
        if space.floor == floor:
            x0, y0, x1, y1 = space.box
            left, top = _pixel(hospital, floor, x0, y1)
            fill = "#fde2e2" if space.restricted else FILLS[space.kind]
            yield (
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{(x1 - x0) * SCALE:.1f}" '
                f'height="{(y1 - y0) * SCALE:.1f}" fill="{fill}"/>'
            )
            if space.kind != "corridor":
                yield (
                    f'<text x="{left + 4:.1f}" y="{top + 13:.1f}" fill="#555">'
                    f"{escape(space.code)}</text>"
                )
    for wall in hospital.walls:
        if wall.floor == floor:
            ends = (*_pixel(hospital, floor, *wall.start), *_pixel(hospital, floor, *wall.end))
            yield _line(ends, "#333", 1 + wall.attenuation_db / 4)
    for x, y, _ in hospital.receivers.position_m[hospital.receivers.floor == floor].tolist():
        yield _dot(_pixel(hospital, floor, x, y), 4, "#2563eb", "none")
    for reader in hospital.readers:
        for antenna in reader.antennas:
            if antenna.floor == floor:
                radius = hospital.scenario.portals.range_m * SCALE
                here = _pixel(hospital, floor, antenna.x_m, antenna.y_m)
                yield _dot(here, radius, "none", "#dc2626")


def _way(hospital: Hospital, walks: Walks, asset: int) -> Iterator[str]:
    mine = np.nonzero((walks.asset == asset) & (walks.t_us <= walks.end_us))[0].tolist()
    colour = COLOURS[asset % len(COLOURS)]
    for i, j in pairwise(mine):
        floors = hospital.space_floor[walks.space[[i, j]]]
        if floors[0] == floors[1]:
            ends = [_pixel(hospital, int(floors[0]), *walks.xyz_m[k, :2].tolist()) for k in (i, j)]
            yield _line((*ends[0], *ends[1]), colour, 1.2)


def _line(ends: tuple[float, float, float, float], colour: str, width: float) -> str:
    x1, y1, x2, y2 = ends
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:.1f}"/>'
    )


def _dot(at: tuple[float, float], radius: float, fill: str, stroke: str) -> str:
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )


def _pixel(hospital: Hospital, floor: int, x_m: float, y_m: float) -> tuple[float, float]:
    """Screen coordinates: y grows downwards, floors are stacked upwards."""
    plan = hospital.scenario.hospital
    below = (plan.floors - 1 - floor) * (plan.depth_m + GAP_M)
    return (x_m + MARGIN_M) * SCALE, (below + MARGIN_M + plan.depth_m - y_m) * SCALE
