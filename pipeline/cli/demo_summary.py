"""The demo's last word: counts, accuracy against the truth, latency."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pipeline.cli.demo_observer import Observer
from pipeline.contracts.reads import to_us
from pipeline.simulation.scoring import AlertSpan, score_alerts, score_fixes
from pipeline.simulation.truth import Truth

_COUNTS = {
    "reads": "select coalesce(sum(reads), 0)::bigint from pipeline.window_commit",
    "batches": "select coalesce(sum(sequence), 0)::bigint from pipeline.gateway_progress",
    "positions": "select count(*) from telemetry.location_history",
    "room_visits": "select count(*) from tracking.room_visit",
    "zone_visits": "select count(*) from tracking.zone_visit",
    "sessions": "select count(*) from tracking.usage_session",
    "alerts_opened": "select count(*) from tracking.alert",
    "alerts_resolved": "select count(*) from tracking.alert where state = 'resolved'",
    "alerts_published": "select count(*) from pipeline.outbox where published_at is not null",
    "late": "select coalesce(sum(late), 0)::bigint from pipeline.window_commit",
    "duplicates": "select coalesce(sum(duplicates), 0)::bigint from pipeline.window_commit",
    "dead_letters": "select coalesce(sum(times), 0)::bigint from pipeline.dead_letter",
}
_LATENCY = """
select percentile_cont(array[0.5, 0.99]) within group (order by l) from (
    select extract(epoch from committed_at - window_start) as l
    from pipeline.window_commit, generate_series(1, positions)
) rows
"""
_ALERTS = """
select asset.tag_number, zone.code, alert.opened_at, alert.resolved_at
from tracking.alert join registry.asset on asset.id = alert.asset_id
join registry.zone on zone.id = alert.zone_id
"""


@dataclass(frozen=True)
class Summary:
    """Metres, seconds, shares from 0 to 1. Latency: from the start of a position's window (the
    oldest moment a read of it can be from) to its row being written, per row."""

    reads: int
    batches: int
    positions: int
    median_error_m: float
    p90_error_m: float
    room_accuracy: float
    floor_accuracy: float
    room_visits: int
    zone_visits: int
    sessions: int
    alerts_opened: int
    alerts_resolved: int
    alerts_published: int
    forbidden_entries: int
    forbidden_matched: int
    forbidden_missed: int
    forbidden_unresolved: int
    forbidden_extra: int
    late: int
    duplicates: int
    dead_letters: int
    latency_p50_s: float
    latency_p99_s: float

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        width = max(len(name) for name in asdict(self))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in asdict(self).items())


def summarise(observer: Observer, truth: Truth) -> Summary:
    """Count what is in the database and score it against the truth."""
    counts = {name: _number(observer, query) for name, query in _COUNTS.items()}
    fixes = observer.fixes(datetime.fromtimestamp(truth.start_us / 1e6 - 1, tz=UTC))
    keep = [i for i, ts in enumerate(fixes.ts_us) if truth.start_us <= ts <= truth.end_us]

    def column(name: str) -> list[Any]:
        values = getattr(fixes, name)
        return [values[i] for i in keep]

    score = score_fixes(
        truth,
        column("tag_numbers"),
        np.array(column("ts_us"), dtype=np.int64),
        column("x_m"),
        column("y_m"),
        column("z_m"),
        column("rooms"),
    )
    alerts = score_alerts(truth, _spans(observer))
    p50, p99 = (observer.operator.execute(_LATENCY).fetchone() or [None])[0] or (0.0, 0.0)
    return Summary(
        **counts,
        median_error_m=round(score.median_m, 3),
        p90_error_m=round(score.p90_m, 3),
        room_accuracy=round(score.room_accuracy, 4),
        floor_accuracy=round(score.floor_accuracy, 4),
        forbidden_entries=len(alerts.expected),
        forbidden_matched=len(alerts.matched),
        forbidden_missed=len(alerts.missed),
        forbidden_unresolved=len(alerts.unresolved),
        forbidden_extra=len(alerts.extra),
        latency_p50_s=round(float(p50), 3),
        latency_p99_s=round(float(p99), 3),
    )


def _number(observer: Observer, query: str) -> int:
    row = observer.operator.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _spans(observer: Observer) -> list[AlertSpan]:
    rows = observer.operator.execute(_ALERTS).fetchall()
    return [
        AlertSpan(tag, zone, to_us(opened), None if resolved is None else to_us(resolved))
        for tag, zone, opened, resolved in rows
    ]
