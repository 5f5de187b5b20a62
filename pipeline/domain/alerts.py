"""Alert rules over zone visits: open on entry, resolve on exit, ids that a replay repeats."""

from __future__ import annotations

from uuid import uuid5

from pipeline.domain.events import AlertTransition, Visit
from pipeline.domain.floorplan import Building
from pipeline.domain.tracks import Tracks

OPEN_REVISION, RESOLVED_REVISION = 1, 2
_EXIT_TEXT = {
    "left": "it left the zone",
    "tolerance_timeout": "it stayed outside, within the exit tolerance, for too long",
    "timeout": "it has not been heard",
    "crossed": "it crossed the zone",
}


def forbidden_zone(
    building: Building, tracks: Tracks, visits: list[Visit], at_us: int
) -> list[AlertTransition]:
    """A transition for each entry to or exit from a zone that a rule forbids to the asset.

    A passage that is an entry and an exit at once (a crossing) opens and resolves.
    """
    transitions: list[AlertTransition] = []
    for visit in visits:
        for index, rule in enumerate(building.rules):
            if rule.zone != visit.place or not rule.applies[visit.asset]:
                continue
            if visit.left_us is None or visit.reason == "crossed":
                transitions.append(_transition(building, tracks, visit, index, at_us, "open"))
            if visit.left_us is not None:
                transitions.append(_transition(building, tracks, visit, index, at_us, "resolved"))
    return transitions


def _transition(
    building: Building, tracks: Tracks, visit: Visit, rule: int, at_us: int, state: str
) -> AlertTransition:
    a, zone = visit.asset, building.zones[visit.place]
    opened_us = visit.entered_us
    floor = int(tracks.floor[a])
    return AlertTransition(
        id=uuid5(building.rules[rule].id, f"{building.assets[a].id}/{visit.entered_us}"),
        revision=OPEN_REVISION if state == "open" else RESOLVED_REVISION,
        state=state,
        rule=rule,
        asset=a,
        zone=visit.place,
        room=int(tracks.room[a]),
        floor=floor,
        opened_us=opened_us,
        at_us=at_us,
        reason=_reason(visit, zone.name, state, zone.fence.entry_dwell_s),
        x_m=float(tracks.x_m[a]),
        y_m=float(tracks.y_m[a]),
        z_m=building.floors[floor].elevation_m if floor >= 0 else 0.0,
        accuracy_m=0.0,
        evidence={
            "visit_id": str(visit.id),
            "entered_us": visit.entered_us,
            "left_us": visit.left_us,
            "initial": visit.initial,
            "confidence": round(visit.confidence, 3),
        },
    )


def _reason(visit: Visit, zone: str, state: str, dwell_s: float) -> str:
    if state == "open":
        seen = "first seen inside" if visit.initial else "entered"
        return f"{seen} {zone} and stayed for at least {dwell_s:g} s"
    return f"resolved: {_EXIT_TEXT.get(visit.reason, visit.reason)} ({zone})"
