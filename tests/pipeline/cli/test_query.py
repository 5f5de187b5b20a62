"""`biotrakr query` against a real database: what it prints, and its errors of one line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.cli.query_output import plain, text
from pipeline.cli.setup import make_logins
from pipeline.database.catalogue import Query, parse_query
from pipeline.database.connect import connect
from pipeline.database.query import BadParameter, QueryFailed, answering
from pipeline.database.testing import DatabaseServer
from pipeline.registry.ids import make_id
from pipeline.registry.load import load_site
from pipeline.registry.site_file import load_site_file

SITES = Path(__file__).parents[2] / "sql/sites"
ACME = make_id("organization", "acme")


@pytest.fixture(scope="module")
def url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as address:
        with connect(address) as connection:
            for code in ("acme", "globex"):
                load_site(connection, load_site_file(SITES / f"{code}-north.json"))
        yield address


@pytest.fixture
def ask(url: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """`ask(*arguments)`: exit status, standard output, standard error; as the superuser."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["query", *arguments, "--database-url", url, "--organization", "acme"])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def made(body: str, head: str = "") -> Query:
    text = f"-- name: U99 made\n-- title: t?\n-- audience: O\n{head}-- columns: a\n\n{body}"
    return parse_query(text, "queries/x/U99_made.sql")


def test_list_and_show(ask: Any) -> None:
    status, out, _ = ask("list")
    assert status == 0
    assert len(out.splitlines()) == 133
    _, out, _ = ask("list", "--audience", "C")
    assert "F01" in out
    assert "O09" not in out
    _, out, _ = ask("show", "x10")
    assert out.startswith("-- name: X10 alert_rule_coverage")


def test_a_table(ask: Any) -> None:
    """The superuser asks as an analyst of acme: globex has assets too, and they are not here."""
    status, out, _ = ask("X10", "--param", "type=pm-due")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == [
        "facility", "category", "asset_tag", "name", "criticality", "geofence_enabled",
    ]  # fmt: skip
    assert [line.split()[:3] for line in lines[2:-1]] == [
        ["north", "LIFE_SUPPORT", "V-1"], ["north", "THERAPEUTIC", "P-1"],
        ["north", "THERAPEUTIC", "P-2"],
    ]  # fmt: skip
    assert lines[-1] == "(3 rows)"


def test_csv_and_json(ask: Any, tmp_path: Path) -> None:
    _, out, _ = ask("alert_rule_coverage", "--param", "type=par", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["asset_tag"] for row in rows] == ["V-1", "P-1", "P-2"]
    assert rows[0]["criticality"] == ""

    target = tmp_path / "answer.json"
    status, out, _ = ask("X10", "--param", "type=par", "--format", "json", "--output", str(target))
    assert (status, out) == (0, "")
    records = json.loads(target.read_text())
    assert records[0]["asset_tag"] == "V-1"
    assert records[0]["criticality"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]
    _, out, _ = ask("X01", "--format", "json")
    assert json.loads(out) == []


def test_a_limit_says_that_there_is_more(ask: Any) -> None:
    status, out, err = ask("X10", "--param", "type=par", "--limit", "2")
    assert status == 0
    assert "(2 rows)" in out
    assert err == "biotrakr: more than 2 rows; --limit shows more\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["utilisation_by_type"], "did you mean U01 utilization_by_type?"),
        (["zzz"], "biotrakr query list shows all"),
        (["L01"], "L01 current_location needs --param tag=... (text)"),
        (["L01", "--param", "tga=P-1"], "has no parameter 'tga'; it takes tag, as_of"),
        (["L01", "--param", "tag"], "write KEY=VALUE"),
        (["L04", "--param", "tag=P-1", "--param", "from=yesterdayish"],
         "--param from: 'yesterdayish' is not a valid timestamptz"),
        (["L04", "--param", "tag=P-1", "--param", "from=now - soon"], "write now or now - 30 days"),
        (["P02", "--param", "horizon_h=1.5"], "'1.5' is not a valid int"),
        (["X01", "--as-of", "2026-02-30"], "--as-of: '2026-02-30' is not a valid"),
        (["X01", "--limit", "0"], "must be greater than zero"),
        (["X01", "--output", "/nowhere/x"], "--output /nowhere/x: No such file or directory"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(ask: Any, arguments: list[str], words: str) -> None:
    status, out, err = ask(*arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_now_is_what_one_says(url: str) -> None:
    query = made("select %(at)s::timestamptz = '2026-02-27 12:00+00' as a",
                 "-- param: at timestamptz = now - 3 days\n")  # fmt: skip
    with connect(url) as connection:
        for given, as_of in [
            ({}, "2026-03-02T12:00Z"),
            ({"at": "now - 24 hours"}, "2026-02-28T12:00Z"),
        ]:
            with answering(connection, query, given, organization=ACME, as_of=as_of) as answer:
                assert list(answer.rows) == [(True,)]


def test_nobody_is_not_asked(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "X10", "--database-url", url]) == 2
    assert "--organization CODE" in capsys.readouterr().err
    assert main(["query", "X10", "--database-url", url, "--organization", "acmee"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_an_analysts_login_needs_no_name_and_reaches_no_other(
    url: str, server: DatabaseServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(url) as connection:
        make_logins(connection, {"analyst_acme": "secret-word"}, lambda _: None)
    mine = server.url_of(url.rpartition("/")[2], user="analyst_acme", password="secret-word")
    assert main(["query", "X10", "--param", "type=par", "--database-url", mine]) == 0
    assert "V-1" in capsys.readouterr().out
    assert main(["query", "X10", "--database-url", mine, "--organization", "globex"]) == 2
    # What looks across organizations is not for it.
    assert main(["query", "O14", "--database-url", mine]) == 1
    assert "it needs an operator's login" in capsys.readouterr().err.splitlines()[-1]


def test_an_answer_can_only_read_and_ends_in_time(url: str) -> None:
    with connect(url) as connection:
        writes = made(
            "with w as (update registry.asset set name = 'x' returning 1 as a) select a from w"
        )
        with (
            pytest.raises(QueryFailed, match=r"data-modifying|read-only"),
            answering(connection, writes, {}, organization=ACME),
        ):
            pass
        slow = made("select pg_sleep(5) as a")
        with (
            pytest.raises(QueryFailed, match=r"took longer than 0.2 s"),
            answering(connection, slow, {}, organization=ACME, statement_timeout_s=0.2) as answer,
        ):
            list(answer.rows)
        # Nothing of it stays: not the role, not the organization, not the time limit.
        row = connection.execute(
            "select current_user = session_user, "
            "coalesce(current_setting('app.org_id', true), ''), "
            "current_setting('statement_timeout')"
        ).fetchone()
        assert row == (True, "", "0")
        assert connection.prepare_threshold is None


def test_rows_come_as_they_are_fetched(url: str) -> None:
    query = made("select generate_series(1, 100000000) as a")
    with (
        connect(url) as connection,
        answering(connection, query, {}, organization=ACME) as answer,
    ):
        assert [next(answer.rows) for _ in range(3)] == [(1,), (2,), (3,)]


def test_a_login_that_looks_past_row_security_is_refused(url: str, server: DatabaseServer) -> None:
    with connect(url) as connection:
        connection.execute("drop role if exists looks_past")
        connection.execute("create role looks_past login bypassrls password 'secret-word'")
    other = server.url_of(url.rpartition("/")[2], user="looks_past", password="secret-word")
    try:
        with (
            connect(other) as connection,
            pytest.raises(BadParameter, match="looks past row security"),
            answering(connection, made("select 1 as a"), {}, organization=ACME),
        ):
            pass
    finally:
        with connect(url) as connection:
            connection.execute("drop role looks_past")


def test_values_as_text_and_json() -> None:
    from datetime import UTC, date, datetime, timedelta
    from decimal import Decimal
    from uuid import UUID

    moment = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert [text(v) for v in (None, True, 1.5, moment, ["a", 1], {"k": Decimal("1.0")})] == [
        "", "True", "1.5", "2026-03-02 12:00:00+00:00", "a, 1", '{"k": 1}',
    ]  # fmt: skip
    assert [plain(v) for v in (Decimal("1.50"), Decimal(3), timedelta(minutes=1), UUID(int=1))] == [
        1.5, 3, 60.0, "00000000-0000-0000-0000-000000000001",
    ]  # fmt: skip
    assert plain([moment, date(2026, 3, 2)]) == ["2026-03-02 12:00:00+00:00", "2026-03-02"]
