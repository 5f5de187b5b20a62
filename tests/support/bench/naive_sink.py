"""The naive flow's output: a tuple a row, an executemany a table, a transaction an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from pipeline.domain.events import ClosedWindow
from pipeline.domain.floorplan import NOWHERE
from pipeline.sinks import event_rows, location_rows
from pipeline.sinks import statements as sql
from pipeline.sinks.event_rows import when

_PLACES = ", ".join(["%s"] * len(location_rows.COLUMNS))
HISTORY = f"insert into telemetry.location_history ({location_rows.NAMES}) values ({_PLACES})"
_LATEST = ", ".join(
    f"{name} = excluded.{name}" for name, _ in location_rows.COLUMNS if name != "asset_id"
)
CURRENT = f"""
insert into tracking.asset_location_current as current ({location_rows.NAMES}, facility_id,
    last_seen_at)
values ({_PLACES}, %s, %s)
on conflict (asset_id) do update set {_LATEST}, last_seen_at = excluded.last_seen_at
where excluded.ts >= current.ts
"""

_VISIT = """
insert into tracking.{table} (id, organization_id, facility_id, asset_id, {place}, entered_at,
    left_at, initial, entry_reason, exit_reason, confidence, contenders, window_end)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set left_at = greatest({table}.entered_at, excluded.left_at),
    exit_reason = excluded.exit_reason, window_end = excluded.window_end
where excluded.left_at is not null
"""
ROOM_VISIT = _VISIT.format(table="room_visit", place="room_id")
ZONE_VISIT = _VISIT.format(table="zone_visit", place="zone_id")

SESSION = """
insert into tracking.usage_session (id, organization_id, facility_id, asset_id, room_id, state,
    method, started_at, ended_at, end_reason)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set ended_at = greatest(usage_session.started_at, excluded.ended_at),
    end_reason = excluded.end_reason
where excluded.ended_at is not null
"""


class ExecutemanySink(FixedPartitionedSink[ClosedWindow, None]):
    """One partition; written when an epoch ends, like the real one."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect

    def list_parts(self) -> list[str]:
        return ["database"]

    def part_fn(self, item_key: str) -> int:
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Partition:
        return _Partition(self._connect())


class _Partition(StatefulSinkPartition[ClosedWindow, None]):
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._windows: list[ClosedWindow] = []

    def write_batch(self, values: list[ClosedWindow]) -> None:
        self._windows += values

    def snapshot(self) -> None:
        windows, self._windows = self._windows, []
        rows = [row for closed in windows for row in _positions(closed)]
        alerts = [parts for w in windows for parts in event_rows.alerts(w)]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for statement, parameters in (
                (HISTORY, [row for row, _ in rows]),
                (CURRENT, [(*row, *more) for row, more in rows]),
                (ROOM_VISIT, [r for w in windows for r in event_rows.room_visits(w)]),
                (ZONE_VISIT, [r for w in windows for r in event_rows.zone_visits(w)]),
                (SESSION, [r for w in windows for r in event_rows.sessions(w)]),
                (sql.ALERT, [alert for alert, _, _ in alerts]),
                (sql.ALERT_EVENT, [event for _, event, _ in alerts]),
                (sql.OUTBOX, [row for _, _, outbox in alerts for row in outbox]),
            ):
                if parameters:
                    cursor.executemany(statement.encode(), parameters)

    def close(self) -> None:
        self._connection.close()


def _positions(closed: ClosedWindow) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Each row of the history, and what the newest position has besides."""
    building, positions = closed.building, closed.result.positions
    ids, at = building.ids, when(closed.result.end_us)
    for i in range(len(positions)):
        floor, room = int(positions.floor[i]), int(positions.room[i])
        row = {
            "organization_id": ids["organization"],
            "asset_id": building.assets[int(positions.asset[i])].id,
            "building_id": ids["building"],
            "ts": at,
            "floor_id": None if floor == NOWHERE else building.floors[floor].id,
            "room_id": None if room == NOWHERE else building.rooms[room].id,
        }
        values = tuple(
            row[name] if name in row else getattr(positions, name)[i].item()
            for name, _ in location_rows.COLUMNS
        )
        yield values, (ids["facility"], at)


def differences(ours: Any, theirs: Any) -> dict[str, int]:
    """Table -> rows that only one of two databases has; connections of both."""
    found = {}
    for table, leave_out in _COMPARED.items():
        query = f"select (to_jsonb(t) - %s::text[])::text from {table} t"
        one, other = (
            {row for (row,) in connection.execute(query.encode(), (leave_out,))}
            for connection in (ours, theirs)
        )
        found[table] = len(one ^ other)
    return found


_COMPARED: dict[str, list[str]] = {
    "telemetry.location_history": [],
    "tracking.asset_location_current": [],
    "tracking.room_visit": [],
    "tracking.zone_visit": [],
    "tracking.usage_session": [],
    "tracking.alert": [],
}


def sizes(connection: Any) -> dict[str, int]:
    """Rows of each compared table."""
    return {
        table: int(connection.execute(f"select count(*) from {table}".encode()).fetchone()[0])
        for table in _COMPARED
    }
