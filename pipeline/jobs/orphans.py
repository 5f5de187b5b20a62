"""What a lost recovery directory leaves behind: visits, sessions and alerts that nobody will end.

The flow's memory of who is inside lies in its recovery directory. When that is new but the database
is not (a disk was replaced), everything open is ended as of when its asset was last located, and
alerts are resolved with that reason and published. The flow then starts from first sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipeline.contracts import topics
from pipeline.contracts.codec import encode_json
from pipeline.contracts.messages import Alert

REASON = "state_lost"

_END_VISITS = """
update tracking.{table} v set left_at = greatest(v.entered_at, c.ts), exit_reason = %(reason)s
from tracking.asset_location_current c, registry.facility f, registry.organization o
where v.left_at is null and c.asset_id = v.asset_id and f.id = v.facility_id
    and o.id = f.organization_id
    and (%(places)s::text[] is null or o.code || '/' || f.code = any(%(places)s))
"""
_END_SESSIONS = """
update tracking.usage_session s
set ended_at = greatest(s.started_at, c.ts), end_reason = %(reason)s
from tracking.asset_location_current c, registry.facility f, registry.organization o
where s.ended_at is null and c.asset_id = s.asset_id and f.id = s.facility_id
    and o.id = f.organization_id
    and (%(places)s::text[] is null or o.code || '/' || f.code = any(%(places)s))
"""
_OPEN_ALERTS = """
select a.id, a.organization_id, e.payload::text, greatest(a.opened_at, c.ts)
from tracking.alert a
join tracking.alert_event e on (e.alert_id, e.revision) = (a.id, a.revision)
join tracking.asset_location_current c on c.asset_id = a.asset_id
join registry.facility f on f.id = a.facility_id
join registry.organization o on o.id = f.organization_id
where a.state <> 'resolved'
    and (%(places)s::text[] is null or o.code || '/' || f.code = any(%(places)s))
for update of a
"""
_RESOLVE = """
update tracking.alert set state = 'resolved', revision = %s, resolved_at = %s, reason = %s
where id = %s
"""
_EVENT = """
insert into tracking.alert_event (alert_id, revision, organization_id, state, at, reason, payload)
values (%s, %s, %s, 'resolved', %s, %s, %s)
"""
_OUTBOX = """
insert into pipeline.outbox (key, topic, payload, retain) values (%s, %s, %s, %s)
on conflict (key) do nothing
"""


@dataclass(frozen=True)
class Ended:
    """How many of each were ended."""

    room_visits: int
    zone_visits: int
    sessions: int
    alerts: int

    def __bool__(self) -> bool:
        return any((self.room_visits, self.zone_visits, self.sessions, self.alerts))


def end_orphans(
    connection: psycopg.Connection[Any], facilities: Sequence[str] | None = None
) -> Ended:
    """End everything open in `facilities` ("organization/facility"; None: all), in one
    transaction. Only for a flow that is about to start without memory."""
    asked = {"reason": REASON, "places": list(facilities) if facilities else None}
    with connection.transaction(), connection.cursor() as cursor:
        counts = []
        for table in ("room_visit", "zone_visit"):
            cursor.execute(_END_VISITS.format(table=table).encode(), asked)
            counts.append(cursor.rowcount)
        cursor.execute(_END_SESSIONS, asked)
        counts.append(cursor.rowcount)
        alerts = cursor.execute(_OPEN_ALERTS, asked).fetchall()
        for id_, organization, payload, at in alerts:
            _resolve(cursor, id_, organization, Alert.model_validate_json(payload), at)
    rooms, zones, sessions = counts
    return Ended(rooms, zones, sessions, len(alerts))


def _resolve(
    cursor: psycopg.Cursor[Any], id_: Any, organization: Any, before: Alert, at: Any
) -> None:
    reason = "resolved: the pipeline lost its state; the alert opens again if it still holds"
    after = before.model_copy(
        update={"state": "resolved", "revision": before.revision + 1, "at": at, "reason": reason}
    )
    payload, place = encode_json(after), (after.organization, after.facility)
    cursor.execute(_RESOLVE, (after.revision, at, reason, id_))
    cursor.execute(_EVENT, (id_, after.revision, organization, at, reason, payload.decode()))
    key = f"{after.alert_id}/{after.revision}"
    event_topic = topics.alert(*place, after.severity, after.type)
    cursor.execute(_OUTBOX, (f"alert/{key}", event_topic, payload, False))
    state_topic = topics.alert_state(*place, str(after.alert_id))
    cursor.execute(_OUTBOX, (f"alert-state/{key}", state_topic, b"", True))
