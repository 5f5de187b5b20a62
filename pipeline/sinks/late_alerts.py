"""Alerts that a revision of history finds: recorded as late, never published, nobody is paged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import psycopg

from pipeline.contracts.codec import encode_json
from pipeline.contracts.reads import to_us
from pipeline.domain.alerts import RESOLVED_REVISION
from pipeline.domain.events import AlertTransition
from pipeline.domain.floorplan import Building
from pipeline.sinks import statements
from pipeline.sinks.event_rows import alert_message, alert_rows
from pipeline.sinks.revision_rows import Stretch

_KNOWN = """
select rule_id, asset_id, opened_at, resolved_at from tracking.alert
where asset_id = any(%(assets)s) and opened_at < %(until)s
    and (resolved_at is null or resolved_at >= %(from)s)
"""
_LATE = "update tracking.alert set late = true where id = %s"
_Found = tuple[Building, AlertTransition]


def write_late_alerts(
    cursor: psycopg.Cursor, stretch: Stretch, span: dict[str, Any], until_us: int
) -> int:
    """Returns how many were new. One that overlaps an alert of the same rule and asset is that."""
    found: defaultdict[Any, list[_Found]] = defaultdict(list)
    for building, transition in stretch.transitions:
        found[transition.id].append((building, transition))
    incidents = [_to_its_end(incident, until_us) for incident in found.values()]
    incidents = [incident for incident in incidents if incident[0][1].state == "open"]
    assets = [building.assets[t.asset].id for (building, t), *_ in incidents]
    cursor.execute(_KNOWN, span | {"assets": assets})
    known = [
        (rule, asset, to_us(opened), None if resolved is None else to_us(resolved))
        for rule, asset, opened, resolved in cursor
    ]
    new = [incident for incident in incidents if not _is_known(incident, known)]
    for incident in new:
        for building, transition in incident:
            message = alert_message(building, transition, late=True)
            alert, event = alert_rows(building, transition, message, encode_json(message))
            cursor.execute(statements.ALERT.encode(), alert)
            cursor.execute(_LATE, (transition.id,))
            cursor.execute(statements.ALERT_EVENT.encode(), event)
    return len(new)


def _to_its_end(incident: list[_Found], until_us: int) -> list[_Found]:
    """What is still open at the end of the stretch is no alert of the present: it ends there."""
    building, last = incident[-1]
    if last.state == "resolved":
        return incident
    reason = "resolved: history was revised up to here"
    ended = replace(
        last, state="resolved", revision=RESOLVED_REVISION, at_us=until_us, reason=reason
    )
    return [*incident, (building, ended)]


def _is_known(incident: list[_Found], known: list[tuple[Any, Any, int, int | None]]) -> bool:
    (building, first), *_ = incident
    _, last = incident[-1]
    who = (building.rules[first.rule].id, building.assets[first.asset].id)
    return any(
        (rule, asset) == who
        and opened <= last.at_us
        and (resolved is None or resolved >= first.opened_us)
        for rule, asset, opened, resolved in known
    )
