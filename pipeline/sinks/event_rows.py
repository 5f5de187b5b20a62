"""Visits, sessions, alerts and their outbox messages as SQL parameters, one tuple a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.contracts import topics
from pipeline.contracts.codec import encode_json
from pipeline.contracts.messages import Alert, AlertPlace, AlertSubject
from pipeline.domain.events import AlertTransition, ClosedWindow, Visit
from pipeline.domain.floorplan import NOWHERE, Building

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


def when(us: int) -> datetime:
    """Microseconds since 1970 as an aware datetime, exact."""
    return _EPOCH + timedelta(microseconds=us)


def room_visits(closed: ClosedWindow) -> Iterator[Row]:
    rooms = closed.building.rooms
    for visit in closed.result.room_visits:
        contenders = [{"room": rooms[r].code, "share": round(s, 3)} for r, s in visit.contenders]
        yield _visit(closed.building, visit, rooms[visit.place].id, contenders)


def zone_visits(closed: ClosedWindow) -> Iterator[Row]:
    for visit in closed.result.zone_visits:
        yield _visit(closed.building, visit, closed.building.zones[visit.place].id, [])


def _visit(building: Building, visit: Visit, place: Any, contenders: list[Any]) -> Row:
    left = None if visit.left_us is None else when(visit.left_us)
    return (
        visit.id,
        building.ids["organization"],
        building.ids["facility"],
        building.assets[visit.asset].id,
        place,
        when(visit.entered_us),
        left,
        visit.initial,
        visit.reason,
        None if left is None else visit.reason,
        visit.confidence,
        json.dumps(contenders),
        when(visit.decided_us),
    )


def sessions(closed: ClosedWindow) -> Iterator[Row]:
    building = closed.building
    for session in closed.result.sessions:
        yield (
            session.id,
            building.ids["organization"],
            building.ids["facility"],
            building.assets[session.asset].id,
            None if session.room == NOWHERE else building.rooms[session.room].id,
            session.state,
            session.method,
            when(session.started_us),
            None if session.ended_us is None else when(session.ended_us),
            None if session.ended_us is None else session.reason,
        )


def alert_message(building: Building, transition: AlertTransition, *, late: bool = False) -> Alert:
    """The message that goes out for one transition; a late one is only recorded."""
    asset, rule = building.assets[transition.asset], building.rules[transition.rule]
    room, floor = transition.room, transition.floor
    return Alert(
        alert_id=transition.id,
        revision=transition.revision,
        state="open" if transition.state == "open" else "resolved",
        type=rule.type,
        severity=rule.severity,  # type: ignore[arg-type]
        organization=building.organization,
        facility=building.facility,
        rule=rule.code,
        subject=AlertSubject(
            asset_id=asset.id, asset_tag_number=asset.tag_number, equipment_name=asset.name
        ),
        place=AlertPlace(
            building=building.code,
            floor=None if floor == NOWHERE else building.floors[floor].code,
            room=None if room == NOWHERE else building.rooms[room].code,
            zone=building.zones[transition.zone].code,
            x_m=round(transition.x_m, 2),
            y_m=round(transition.y_m, 2),
            z_m=round(transition.z_m, 2),
            accuracy_m=round(transition.accuracy_m, 2),
        ),
        opened_at=when(transition.opened_us),
        at=when(transition.at_us),
        late=late,
        reason=transition.reason,
        evidence=transition.evidence,
    )


def alerts(closed: ClosedWindow) -> Iterator[tuple[Row, Row, list[Row]]]:
    """For each transition its alert row, its event row and its outbox rows."""
    for transition in closed.result.alerts:
        message = alert_message(closed.building, transition)
        payload = encode_json(message)
        alert, event = alert_rows(closed.building, transition, message, payload)
        yield alert, event, list(_outbox(message, payload, transition.state == "resolved"))


def alert_rows(
    building: Building, transition: AlertTransition, message: Alert, payload: bytes
) -> tuple[Row, Row]:
    """The alert as it stands after the transition, and the transition."""
    alert = (
        transition.id,
        building.ids["organization"],
        building.ids["facility"],
        building.assets[transition.asset].id,
        building.rules[transition.rule].id,
        building.zones[transition.zone].id,
        message.type,
        message.severity,
        message.state,
        transition.revision,
        message.opened_at,
        message.at if transition.state == "resolved" else None,
        message.reason,
    )
    event = (
        transition.id,
        transition.revision,
        building.ids["organization"],
        message.state,
        message.at,
        message.reason,
        json.dumps(transition.evidence),
        payload.decode(),
    )
    return alert, event


def _outbox(message: Alert, payload: bytes, resolved: bool) -> Iterator[Row]:
    """The transition itself, and the retained state that a fresh subscriber finds (or its end)."""
    place = (message.organization, message.facility)
    key = f"{message.alert_id}/{message.revision}"
    yield (
        f"alert/{key}",
        topics.alert(*place, message.severity, message.type),
        payload,
        False,
    )
    yield (
        f"alert-state/{key}",
        topics.alert_state(*place, str(message.alert_id)),
        b"" if resolved else payload,
        True,
    )
