"""The doctor finds each thing that is broken here on purpose, and nothing in a healthy database."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from pipeline.cli.main import main
from pipeline.database import connect
from pipeline.database.doctor import examine
from pipeline.database.testing import DatabaseServer


@pytest.fixture
def url(server: DatabaseServer) -> Iterator[str]:
    with server.copy() as url:
        yield url


def _wrong(url: str) -> list[tuple[str, str]]:
    return [(one.subject, one.text) for one in examine(url) if one.verdict == "wrong"]


def test_a_healthy_database_has_nothing_wrong(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _wrong(url) == []
    assert main(["doctor", "--database-url", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  schema: is that of this program" in lines
    assert lines[-1].startswith("0 wrong (!), ")


def test_what_the_edition_lacks_is_said_and_is_not_wrong(url: str, apache: None) -> None:
    lacking = {one.subject: one.text for one in examine(url) if one.verdict == "lacks"}
    assert set(lacking) >= {"columnstore", "continuous_aggregate_hourly"}
    assert all("this is the Apache edition" in text for text in lacking.values())


def test_an_empty_database_wants_migrating(empty_url: str) -> None:
    assert _wrong(empty_url) == [
        ("server", "TimescaleDB is not in this database: biotrakr migrate")
    ]


@pytest.mark.parametrize(
    ("breakage", "subject", "text"),
    [
        ("drop extension pgcrypto", "extension pgcrypto", "missing: create extension pgcrypto"),
        ("delete from ops.migration where path like '%0019%'", "migrations/0019_audit.sql",
         "not applied: biotrakr migrate"),
        ("update ops.migration set sha256 = repeat('0', 64) where path like 'views/v_tco%'",
         "views/v_tco.sql", "changed since it was applied: biotrakr migrate"),
        ("update ops.retention_policy set last_run_at = now() - interval '2 days'",
         "retention of telemetry.usage_log",
         "has not run for 24 h: is biotrakr run running?"),
        ("update ops.retention_policy set last_outcome = 'failed: disk full', last_run_at = now()",
         "retention of telemetry.usage_log", "failed: disk full"),
        ("alter table finance.book no force row level security", "finance.book",
         "row security is off: alter table finance.book enable row level security, force row "
         "level security"),
        ("alter table finance.book disable trigger audit", "finance.book",
         "is not audited: its trigger audit is missing or disabled"),
        ("update pg_index set indisvalid = false where indexrelid = 'finance.book_code'::regclass",
         "finance.book_code", "is invalid: reindex index concurrently finance.book_code"),
    ],
)  # fmt: skip
def test_each_breakage_is_found(url: str, breakage: str, subject: str, text: str) -> None:
    with connect(url) as connection:
        connection.execute(breakage.encode())
    assert (subject, text) in _wrong(url)


def test_a_broken_audit_trail_is_found_by_both_commands(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(url) as connection:
        for code in ("north", "south"):
            connection.execute(
                "insert into registry.organization (id, code, name) values (%s, %s, 'N')",
                (uuid4(), code),
            )
        connection.execute("update registry.organization set name = 'North' where code = 'north'")
        head = connection.execute(
            "select encode(hash, 'hex') from audit.log join registry.organization as o "
            "on o.id = organization_id where o.code = 'north' and sequence = 2"
        ).fetchone()
        assert head is not None
        verify = ["audit", "verify", "--database-url", url]
        note = ["--organization", "north", "--head", f"2:{head[0]}"]
        assert main([*verify, *note]) == 0
        assert capsys.readouterr().out.splitlines() == [
            f"north: 2 rows, whole, head 2:{head[0]}",
            "north: the trail still holds row 2 as it was noted",
        ]
        connection.execute("set session_replication_role = replica")
        connection.execute("update audit.log set login = 'nobody' where sequence = 2")
    assert main(verify) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[:2] == [
        "north: 2 rows, 1 problem(s)",
        "  row 2: this row, or the hash of the one before it, is not as it was written",
    ]
    assert "south: 1 rows, whole, head 1:" in out
    assert ("audit trail of north", _problem(url)) in _wrong(url)

    with connect(url) as connection:  # somebody who can compute hashes writes the end anew
        connection.execute("set session_replication_role = replica")
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "update audit.log as entry set hash = audit.digest(before.hash, "
            "to_jsonb(entry) - 'hash') from audit.log as before "
            "where before.organization_id = entry.organization_id "
            "and before.sequence = entry.sequence - 1"
        )
    assert main(verify) == 0, "the chain alone cannot know"
    assert main([*verify, *note]) == 1, "a head that was noted does"
    assert "the trail was written anew" in capsys.readouterr().out


def _problem(url: str) -> str:
    (text,) = [text for subject, text in _wrong(url) if subject.startswith("audit trail")]
    assert text.startswith("row 2: this row")
    return text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--head", "1:ab"], "--head is one organization's: give --organization too"),
        (["--organization", "nobody"], "no organization has the code nobody"),
    ],
)
def test_wrong_arguments_are_told(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["audit", "verify", "--database-url", url, *arguments]) == 2
    assert capsys.readouterr().err == f"biotrakr: {message}\n"
