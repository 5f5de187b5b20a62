"""Every query of the catalogue, on the seed: what its header promises, isolation, and its plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from query_samples import samples
from seeded import seeded_connections

from pipeline.cli import query_page
from pipeline.database.catalogue import Query, parse_query, read_catalogue
from pipeline.database.connect import Connection, connect
from pipeline.database.files import sql_folder
from pipeline.database.query import answering, confine, resolve
from pipeline.seed.model import World

CATALOGUE = read_catalogue()
AS_OF = "2026-06-30T12:00:00Z"

# The promised ones. Letters and how many of each; names are held against the files below.
PROMISED = {"A": 15, "L": 18, "M": 17, "P": 12, "C": 17, "U": 14, "F": 15, "X": 10, "O": 15}
CATEGORIES = {
    "A": "asset_search", "L": "location", "M": "maintenance", "P": "predictive",
    "C": "compliance", "U": "utilization", "F": "financial", "X": "alerts", "O": "operations",
}  # fmt: skip
HYPERTABLE = re.compile(
    r"\b(?:reporting|telemetry)\.(location_history|sensor_reading|usage_log|prediction_score)\b"
)
MOST_CHUNKS = 15
"""The widest default is 90 days: 14 chunks of 7 days."""

every_query = pytest.mark.parametrize("query", CATALOGUE, ids=str)


def test_all_133_are_there() -> None:
    promised = [f"{letter}{n:02}" for letter, many in PROMISED.items() for n in range(1, many + 1)]
    assert len(promised) == 133
    assert sorted(query.code for query in CATALOGUE) == sorted(promised)


@every_query
def test_the_header_is_whole(query: Query) -> None:
    assert query.category == CATEGORIES[query.code[0]]
    assert query.notes, "notes: say what a row is, and what a reader may trip over"
    assert len(query.notes) > 40
    assert query.title[-1] == "?", "title: is a question"
    assert len(query.title) <= 120
    assert not query.body.rstrip().endswith(";")
    assert len(set(query.columns)) == len(query.columns)


def test_the_page_is_current() -> None:
    page = (sql_folder() / query_page.PAGE).read_text(encoding="utf-8")
    assert page == query_page.page(CATALOGUE), "run: biotrakr query catalogue --write"


@dataclass(frozen=True)
class Desk:
    """One connection for all questions, which takes on an analyst's rights for each, and what each
    organization would recognise as its own."""

    connection: Connection
    analyst: Connection
    ids: dict[UUID, frozenset[UUID]]
    words: dict[UUID, frozenset[str]]
    mine: UUID
    theirs: UUID

    def ask(
        self, query: Query, organization: UUID
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        given = samples(self.analyst, query)
        with answering(
            self.connection, query, given, organization=organization, as_of=AS_OF
        ) as answer:
            return answer.columns, list(answer.rows)


@pytest.fixture(scope="module")
def desk(seeded_database: tuple[str, World]) -> Iterator[Desk]:
    url, world = seeded_database
    mine, theirs = (organization.id for organization in world.organizations)
    with connect(url) as connection, seeded_connections(url, world) as seeded:
        seen = {mine: seeded.a, theirs: seeded.b}
        ids = {org: frozenset(_column(analyst, IDS)) for org, analyst in seen.items()}
        words = {org: frozenset(_column(analyst, WORDS)) for org, analyst in seen.items()}
        assert ids[mine] and words[mine] - words[theirs]
        yield Desk(connection, seeded.a, ids, words, mine, theirs)


IDS = """
select id from registry.asset union select id from registry.room
union select id from registry.facility union select id from registry.user_account
"""
# What only one organization would call something: numbers, codes of places, people, tags.
WORDS = """
select tag_number from registry.asset union select code from registry.facility
union select username from registry.user_account union select number from maintenance.work_order
union select name from registry.tag
"""


@every_query
def test_it_answers_as_declared(query: Query, desk: Desk) -> None:
    columns, rows = desk.ask(query, desk.mine)

    assert columns == query.columns
    assert rows or query.code in EMPTY_ON_THE_SEED, "the seed has nothing to show for it"


@every_query
def test_nothing_of_another_organization_shows(query: Query, desk: Desk) -> None:
    """Asked by the other organization with the first one's names."""
    if query.operator:
        pytest.skip("looks across organizations, for operators only")
    _, rows = desk.ask(query, desk.theirs)
    assert not _uuids(rows) & desk.ids[desk.mine]
    foreign = desk.words[desk.mine] - desk.words[desk.theirs]
    assert not {word for row in rows for word in _texts(row)} & foreign


@every_query
def test_its_plan_reads_few_chunks_each_by_time(query: Query, desk: Desk) -> None:
    chunks = _chunks_read(desk, query)
    assert chunks or not HYPERTABLE.search(query.body), "its chunks are not in the plan"
    assert len(chunks) <= MOST_CHUNKS, sorted(chunks)


def test_a_plan_without_a_range_of_time_is_noticed(desk: Desk) -> None:
    head = "-- name: O99 made\n-- title: t?\n-- audience: O\n-- columns: n\n\n"
    body = "select count(*) as n from reporting.location_history"
    bad = parse_query(head + body, "queries/operations/O99_made.sql")
    with pytest.raises(AssertionError, match="no range of time"):
        _chunks_read(desk, bad)
    good = parse_query(f"{head}{body} where ts > '2026-06-29'", "queries/operations/O99_made.sql")
    assert len(_chunks_read(desk, good)) == 1


def _chunks_read(desk: Desk, query: Query) -> set[str]:
    """Of its plan on the seed; each must be read by a range of time."""
    given = samples(desk.analyst, query)
    with desk.connection.transaction():
        confine(desk.connection, query, desk.mine)
        values = resolve(desk.connection, query, given, AS_OF)
        row = desk.connection.execute(
            f"explain (format json, verbose) {query.body}".encode(), values
        ).fetchone()
    assert row is not None
    scans = [node for node in _nodes(row[0][0]["Plan"]) if node.get("Schema") == "chunks"]
    for node in scans:
        conditions = " ".join(
            str(node.get(key, "")) for key in ("Index Cond", "Recheck Cond", "Filter")
        )
        assert re.search(r"\b(ts|at) [<>]", conditions), f"no range of time: {node}"
    return {node["Relation Name"] for node in scans}


# Why the seed has no row for these.
EMPTY_ON_THE_SEED = {
    "A10": "every asset of the seed is complete",
    "C14": "nobody has exported anything or come by night",
    "C15": "its audit trail has no gap",
    "L10": "nothing of it fell silent at an exit",
    "O08": "its dataflow had no late batches",
    "X03": "all that should have been escalated was",
}


def _column(analyst: Connection, query: str) -> list[Any]:
    return [value for (value,) in analyst.execute(query.encode())]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _texts(row: Any) -> Iterator[str]:
    if isinstance(row, str):
        yield row
    elif isinstance(row, dict):
        for item in row.items():
            yield from _texts(item)
    elif isinstance(row, list | tuple):
        for item in row:
            yield from _texts(item)


def _uuids(rows: Any) -> set[UUID]:
    if isinstance(rows, UUID):
        return {rows}
    if isinstance(rows, dict):
        rows = list(rows.values())
    if isinstance(rows, list | tuple):
        return {found for item in rows for found in _uuids(item)}
    return set()


def test_the_helpers_see_what_they_look_for() -> None:
    """A leak test that cannot find a leak is none."""
    one = UUID(int=1)
    assert _uuids([(1, one), ({"a": [one]},)]) == {one}
    assert set(_texts(("MER-1", {"k": ["v"]}, datetime.now(UTC)))) == {"MER-1", "k", "v"}
    plan = json.loads('{"Plans": [{"Plans": [{"Schema": "chunks"}]}]}')
    assert len(list(_nodes(plan))) == 3
