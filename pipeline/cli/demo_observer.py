"""What the demo sees: the analysts' SQL views, through an analyst's own login."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
import psycopg
from psycopg import sql

from pipeline.cli.stack import Stack, with_login
from pipeline.contracts.reads import to_us
from pipeline.database.connect import connect
from pipeline.registry.site_file import SiteFile
from pipeline.simulation.scoring import score_fixes
from pipeline.simulation.truth import Truth

ANALYST = "biotrakr_demo_analyst"
RECENT_S = 15.0

_COUNTS = """
select coalesce(sum(reads), 0), count(*), coalesce(sum(positions), 0), coalesce(sum(late), 0),
    coalesce(sum(duplicates), 0),
    coalesce(max(extract(epoch from committed_at - window_end))
        filter (where committed_at > now() - interval '5 s'), 0),
    coalesce(sum(reads) filter (where committed_at > now() - interval '5 s'), 0) / 5.0,
    max(window_end)
from pipeline.window_commit
"""
_DEAD = "select coalesce(sum(times), 0) from pipeline.dead_letter"
_PLACES = """
select tag_number, name, coalesce(room_name, '-'), floor_code, x_m, y_m, accuracy_m, reason, moving
from reporting.current_location order by moving desc, last_seen_at desc, tag_number limit 18
"""
_ALERTS = """
select severity, tag_number, zone_name, age from reporting.open_alerts order by opened_at limit 6
"""
_SESSIONS = """
select count(*) filter (where ended_at is null), count(*) from tracking.usage_session
where state = 'IN_USE'
"""
_FIXES = """
select c.tag_number, h.ts, h.x_m, h.y_m, h.z_m, h.room_code
from reporting.location_history h join reporting.current_location c using (asset_id)
where h.ts >= %s order by h.ts, c.tag_number
"""


@dataclass(frozen=True)
class Picture:
    """What the screen shows at one moment."""

    reads: int
    windows: int
    positions: int
    late: int
    duplicates: int
    lag_s: float
    reads_per_s: float
    dead_letters: int
    median_error_m: float
    places: list[tuple[Any, ...]] = field(default_factory=list)
    alerts: list[tuple[Any, ...]] = field(default_factory=list)
    sessions_open: int = 0
    sessions: int = 0

    def line(self) -> str:
        return (
            f"{self.reads} reads, {self.positions} positions, {self.reads_per_s:.0f} reads/s, "
            f"lag {self.lag_s:.1f} s, median error {self.median_error_m:.2f} m, "
            f"{len(self.alerts)} open alerts, {self.sessions_open} in use"
        )


@dataclass(frozen=True)
class Fixes:
    """Positions as columns, from the view reporting.location_history."""

    tag_numbers: list[str]
    ts_us: list[int]
    x_m: list[float]
    y_m: list[float]
    z_m: list[float]
    rooms: list[str | None]


class Observer:
    """Looks at the database as an analyst of the demo's organization (books as its operator)."""

    def __init__(self, stack: Stack, site: SiteFile) -> None:
        self._stack, self._site = stack, site
        self.operator = stack.connect()
        self.analyst_url = _make_analyst(self.operator, stack.database_url, site.organization.code)
        self.analyst: psycopg.Connection[Any] = connect(
            self.analyst_url, application_name="biotrakr-demo"
        )

    def look(self, truth: Truth) -> Picture:
        reads, windows, positions, late, duplicates, lag_s, rate, newest = self._one(_COUNTS)
        error_m = self._recent_error_m(truth, newest)
        open_, all_ = self._one(_SESSIONS)
        return Picture(
            int(reads),
            windows,
            int(positions),
            int(late),
            int(duplicates),
            float(lag_s),
            float(rate),
            int(self._one(_DEAD)[0]),
            error_m,
            self.analyst.execute(_PLACES).fetchall(),
            self.analyst.execute(_ALERTS).fetchall(),
            open_,
            all_,
        )

    def committed_us(self) -> int:
        """End of the newest window that is committed; 0 before the first."""
        newest = self._one(_COUNTS)[-1]
        return 0 if newest is None else to_us(newest)

    def fixes(self, since: datetime) -> Fixes:
        rows = self.analyst.execute(_FIXES, (since,)).fetchall()
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(6)]
        columns[1] = [to_us(ts) for ts in columns[1]]
        return Fixes(*columns)

    def how_to_connect(self) -> str:
        """Commands for a second terminal."""
        stack, organization = self._stack, self._site.organization.code
        psql = stack.database.psql if stack.database else "psql"
        lines = [f"SQL, as an analyst:\n  {psql} '{self.analyst_url}'"]
        lines.append("  select tag_number, room_name, x_m, y_m, accuracy_m "
                     "from reporting.current_location;")  # fmt: skip
        if stack.broker is not None:
            user, password = stack.broker.credentials(organization)
            port = urlsplit(stack.broker.url).port
            lines.append(
                f"alerts, as a consumer:\n  {stack.broker.mosquitto_sub} -h 127.0.0.1 -p {port} "
                f"-u {user} -P {password} -v -t 'biotrakr/v1/{organization}/+/alerts/#'"
            )
        lines.append(f"logs: {stack.directory}\nCtrl-C stops everything.")
        return "\n".join(lines)

    def close(self) -> None:
        self.analyst.close()
        self.operator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _one(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self.operator.execute(query.encode()).fetchone()
        assert row is not None
        return row

    def _recent_error_m(self, truth: Truth, newest: datetime | None) -> float:
        if newest is None:
            return float("nan")
        since = datetime.fromtimestamp(newest.timestamp() - RECENT_S, tz=newest.tzinfo)
        found = self.fixes(since)
        if not found.ts_us or max(found.ts_us) > truth.end_us:
            keep = [i for i, ts in enumerate(found.ts_us) if ts <= truth.end_us]
            found = Fixes(*([column[i] for i in keep] for column in vars(found).values()))
        if not found.ts_us:
            return float("nan")
        score = score_fixes(
            truth,
            found.tag_numbers,
            np.array(found.ts_us),
            found.x_m,
            found.y_m,
            found.z_m,
            found.rooms,
        )
        return score.median_m


def _make_analyst(connection: psycopg.Connection[Any], url: str, organization: str) -> str:
    """A login that sees one organization through the views, as an analyst's would."""
    password = secrets.token_urlsafe(18)
    name, literal = sql.Identifier(ANALYST), sql.Literal(password)
    exists = connection.execute("select 1 from pg_roles where rolname = %s", (ANALYST,)).fetchone()
    verb = "alter role {} login password {}" if exists else "create role {} login password {}"
    connection.execute(sql.SQL(verb).format(name, literal))
    connection.execute(sql.SQL("grant biotrakr_analyst to {}").format(name))
    connection.execute(
        "insert into app.login_organization (login, organization_id) "
        "select %s, id from registry.organization where code = %s on conflict do nothing",
        (ANALYST, organization),
    )
    return with_login(url, ANALYST, password)
