"""Once a day, for every organization: plan what comes due, compute the figures of every asset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import tuple_row

from pipeline.database.connect import Connection


@dataclass(frozen=True)
class Upkeep:
    """What one run did for one organization."""

    organization: str
    occurrences: int
    work_orders: int
    assets: int


def upkeep(connection: Connection, as_of: datetime | None = None) -> list[Upkeep]:
    """One transaction an organization, as the application and under its row security. Needs a login
    that may read every organization and become biotrakr_app: the one that migrates."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        known = cursor.execute(
            "select id, code from registry.organization where deleted_at is null order by code"
        ).fetchall()
        done = []
        for organization, code in known:
            with connection.transaction():
                cursor.execute("set local role biotrakr_app")
                cursor.execute("select set_config('app.org_id', %s, true)", (str(organization),))
                cursor.execute("select set_config('app.reason', 'upkeep', true)")
                planned = cursor.execute(
                    "select occurrences, work_orders from maintenance.plan(coalesce(%s, now()))",
                    (as_of,),
                ).fetchone() or (0, 0)
                assets = cursor.execute(
                    "select registry.refresh_metrics(coalesce(%s, now()))", (as_of,)
                ).fetchone() or (0,)
                done.append(Upkeep(code, *planned, *assets))
    return done
