"""Times every view and every query on a seeded database and prints the table.

    biotrakr seed --size big --database-url URL      20 M positions, 5 M readings, 50 k assets
    python tests/benchmarks/queries.py --database-url URL [--organization meridian] [--only U,L01]

The median of several warm runs, as an analyst, rows fetched to the last one; `now` is that of the
seed. Views are read at the same moment through their twins, whole, by count(*): what they compute,
not what it costs to print 50 000 rows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import psycopg  # noqa: E402
from query_samples import samples  # noqa: E402

from pipeline.database.catalogue import Query, read_catalogue  # noqa: E402
from pipeline.database.connect import Connection, connect  # noqa: E402
from pipeline.database.query import QueryFailed, answering, confine  # noqa: E402
from pipeline.registry.ids import make_id  # noqa: E402
from pipeline.seed.sizes import AS_OF  # noqa: E402

LIMITS_S = {"L01": 0.1, "v_asset_current_location": 0.1, "A06": 0.05}
LIMIT_S = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--organization", default="meridian")
    parser.add_argument("--only", default="", help="codes or their first letters, views as v")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--timeout", type=float, default=30)
    options = parser.parse_args()
    only = tuple(part for part in options.only.split(",") if part)
    organization = make_id("organization", options.organization)
    with connect(options.database_url) as connection:
        slow = 0
        for name, ask in _questions(connection, organization, options.timeout):
            if only and not name.startswith(only):
                continue
            slow += _report(name, ask, options.runs)
    print(f"{slow} over their limit")
    return 0


def _report(name: str, ask: Callable[[], int], runs: int) -> bool:
    limit = LIMITS_S.get(name.partition(" ")[0], LIMIT_S)
    seconds = []
    try:
        rows = ask()  # warms up
        for _ in range(runs):
            started = time.perf_counter()
            ask()
            seconds.append(time.perf_counter() - started)
            if seconds[-1] > 5 * limit:
                break
    except (QueryFailed, psycopg.Error) as error:
        print(f"{name:42} {error}", flush=True)
        return True
    median = statistics.median(seconds)
    late = "" if median <= limit else f"  over {limit * 1000:.0f} ms"
    print(f"{name:42} {rows:8} rows {median * 1000:9.1f} ms{late}", flush=True)
    return bool(late)


def _questions(
    connection: Connection, organization: object, timeout_s: float
) -> Iterator[tuple[str, Callable[[], int]]]:
    catalogue = read_catalogue()
    with connection.transaction():
        confine(connection, catalogue[0], organization)
        known = {query.code: samples(connection, query) for query in catalogue}
        views = connection.execute(
            "select relname::text, to_regprocedure(format("
            "'reporting.f_%s(timestamptz)', relname)) is not null from pg_class "
            "where relnamespace = 'reporting'::regnamespace and relkind = 'v' "
            "and relname like 'v\\_%' and has_table_privilege(oid, 'select') order by 1"
        ).fetchall()
    for view, twin in views:
        source = f"f_{view}('{AS_OF.isoformat()}')" if twin else view
        yield (
            view,
            lambda source=source: _view(connection, organization, catalogue[0], source, timeout_s),
        )
    for query in catalogue:
        yield (
            str(query),
            lambda query=query: _query(
                connection, organization, query, known[query.code], timeout_s
            ),
        )


def _view(
    connection: Connection, organization: object, analysts: Query, source: str, timeout_s: float
) -> int:
    with connection.transaction():
        confine(connection, analysts, organization, timeout_s)
        # Every column is computed: count(*) alone would let the planner leave joins out.
        row = connection.execute(
            f"select count(*), max(one::text) is null from reporting.{source} as one".encode()
        ).fetchone()
    return int(row[0]) if row else 0


def _query(
    connection: Connection,
    organization: object,
    query: Query,
    given: dict[str, str],
    timeout_s: float,
) -> int:
    with answering(
        connection,
        query,
        given,
        organization=organization,
        as_of=AS_OF.isoformat(),
        statement_timeout_s=timeout_s,
    ) as answer:
        return sum(1 for _ in answer.rows)


if __name__ == "__main__":
    sys.exit(main())
