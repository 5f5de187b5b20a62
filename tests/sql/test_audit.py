"""The audit trail: says everything, cannot be changed unseen, and stands many writers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from pipeline.database import connect
from pipeline.database.audit import Chain, verify
from pipeline.database.connect import Connection
from pipeline.database.doctor import UNAUDITED


@contextmanager
def _acting(conn: Connection, org: Any, **settings: str) -> Iterator[None]:
    """The application, for an organization; then what waits for the commit happens."""
    names = {"org_id": str(org.id), **settings}
    with conn.transaction():
        conn.execute("set local role biotrakr_app")
        for name, value in names.items():
            conn.execute("select set_config(%s, %s, true)", (f"app.{name}", value))
        yield
        conn.execute("set constraints all immediate")
        conn.execute("set constraints all deferred")
        conn.execute("reset role")
        for name in names:
            conn.execute("select set_config(%s, '', true)", (f"app.{name}",))


def _newest(conn: Connection, org: Any, columns: str) -> tuple[Any, ...]:
    row = conn.execute(
        f"select {columns} from audit.log where organization_id = %s "
        "order by sequence desc limit 1".encode(),
        (org.id,),
    ).fetchone()
    assert row is not None
    return row


RENAME = "update registry.asset set name = %s where id = %s"


def test_an_update_says_who_what_when_before_and_after(conn: Connection, acme: Any) -> None:
    user = str(acme.event("registry.user_account"))
    with _acting(conn, acme, user_id=user, request_id="r-7", reason="relabelled"):
        conn.execute(RENAME, ("Pump A", acme.asset()))
    columns = "action, relation, row_id, before, after, changed, login, role, user_id::text, "
    assert _newest(conn, acme, columns + "request_id, reason, version") == (
        "UPDATE", "registry.asset", acme.asset(), {"name": "Infusion pump 1", "version": 1},
        {"name": "Pump A", "version": 2}, ["name"], "postgres", "biotrakr_app", user, "r-7",
        "relabelled", 2,
    )  # fmt: skip
    assert conn.execute(
        "select updated_by::text, at between updated_at and clock_timestamp() from registry.asset "
        "cross join (select max(at) as at from audit.log) as newest where id = %s",
        (acme.asset(),),
    ).fetchone() == (user, True)


def test_deleting_and_restoring_are_told_apart(conn: Connection, acme: Any, become: Any) -> None:
    user = str(acme.event("registry.user_account"))
    change = "update registry.asset set deleted_at = {} where id = %s"
    seen = "select count(*) from reporting.current_location where asset_id = %s"
    for value, action, visible, deleter in (
        ("now()", "SOFT_DELETE", 0, user), ("null", "RESTORE", 1, None)
    ):  # fmt: skip
        with _acting(conn, acme, user_id=user):
            conn.execute(change.format(value).encode(), (acme.asset(),))
        assert _newest(conn, acme, "action, changed") == (action, ["deleted_at", "deleted_by"])
        with become(conn, "biotrakr_analyst", acme.id):
            assert conn.execute(seen, (acme.asset(),)).fetchone() == (visible,)
        assert conn.execute(
            "select deleted_by::text from registry.asset where id = %s", (acme.asset(),)
        ).fetchone() == (deleter,)


def test_what_is_rolled_back_leaves_nothing(conn: Connection, acme: Any) -> None:
    before = _newest(conn, acme, "sequence")
    with pytest.raises(ZeroDivisionError), _acting(conn, acme):
        conn.execute(RENAME, ("x", acme.asset()))
        raise ZeroDivisionError
    assert _newest(conn, acme, "sequence") == before


def test_every_table_of_tenants_is_audited_under_its_own_name(conn: Connection) -> None:
    tables = conn.execute(
        """select c.oid::regclass::text, (
            select convert_from(substr(t.tgargs, 1, length(t.tgargs) - 1), 'UTF8')
            from pg_trigger as t
            where t.tgrelid = c.oid and t.tgfoid = 'audit.record()'::regprocedure
                and t.tgenabled = 'O' and t.tgdeferrable and t.tginitdeferred
                and t.tgtype = 1 | 4 | 8 | 16) -- each row: insert, delete, update
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('registry', 'maintenance', 'compliance',
            'finance', 'prediction', 'tracking', 'audit') and c.relname <> 'log'
        order by 1"""
    ).fetchall()
    assert {table for table, name in tables if name is None} == set(UNAUDITED)
    assert all(name in (None, table) for table, name in tables)
    assert len(tables) > 70


@pytest.mark.parametrize("role", ["postgres", "biotrakr_owner", "biotrakr_app"])
@pytest.mark.parametrize(
    "statement",
    ["update audit.log set reason = 'x'", "delete from audit.log", "truncate audit.log",
     "update audit.review set finding = 'x'", "delete from audit.review"],
)  # fmt: skip
def test_rows_are_only_added(
    conn: Connection, become: Any, acme: Any, role: str, statement: str
) -> None:
    with become(conn, role, acme.id), pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement.encode())


@pytest.mark.parametrize("role", ["biotrakr_app", "biotrakr_analyst", "biotrakr_ingest"])
@pytest.mark.parametrize(
    "statement",
    [
        "insert into audit.log (organization_id, sequence, at, login, role, action, relation, "
        "hash) values ('{org}', 99999, now(), 'me', 'me', 'READ', 'x', sha256(''))",
        "select audit.append('{org}', 'READ', 'x', null, null, null, null, null, null)",
        "create temp table t (id uuid); create trigger x after insert on t for each row "
        "execute function audit.record('registry.asset')",
    ],
)
def test_nobody_adds_a_row_by_hand(
    conn: Connection, become: Any, acme: Any, role: str, statement: str
) -> None:
    with become(conn, role, acme.id), pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement.format(org=acme.id).encode())


def test_an_access_can_be_noted_for_the_own_organization(
    conn: Connection, become: Any, acme: Any
) -> None:
    with become(conn, "biotrakr_analyst", acme.id):
        conn.execute("select audit.note('EXPORT', 'reporting.asset_full', 'for the auditor')")
        assert _newest(conn, acme, "action, relation, role, reason") == (
            "EXPORT", "reporting.asset_full", "biotrakr_analyst", "for the auditor",
        )  # fmt: skip
    for org, action in ((acme.id, "DELETE"), (None, "READ")):
        with (
            become(conn, "biotrakr_analyst", org),
            pytest.raises(psycopg.errors.InvalidParameterValue),
        ):
            conn.execute("select audit.note(%s, 'x', 'y')", (action,))


def _problems(conn: Connection, org: Any) -> list[tuple[str, str]]:
    (chain,) = verify(conn, org.code)
    return [(one.where, one.problem) for one in chain.problems]


def _by_force(conn: Connection, statement: str, *values: Any) -> None:
    """As an administrator would who knows how to put the triggers to sleep."""
    conn.execute("set local session_replication_role = replica")
    assert conn.execute(statement.encode(), values).rowcount > 0
    conn.execute("set local session_replication_role = origin")


def test_a_whole_chain_has_no_problem(conn: Connection, acme: Any, globex: Any) -> None:
    chains = verify(conn)
    assert [chain.organization for chain in chains] == ["acme", "globex"]
    for chain in chains:
        assert chain.problems == []
        assert chain.rows > 60
        assert len(chain.head) == 64
    with pytest.raises(LookupError, match="no organization has the code nobody"):
        verify(conn, "nobody")


CHANGED = "this row, or the hash of the one before it, is not as it was written"


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'", "login = 'x'", "role = 'x'", "user_id = row_id",
        "client = 'x'", "request_id = 'x'", "reason = 'x'", "action = 'READ'", "relation = 'x'",
        "row_id = null", "version = 9", "before = '{}'", "after = '{}'", "changed = '{x}'",
        "hash = sha256('x')",
    ],
)  # fmt: skip
def test_a_changed_row_is_found(conn: Connection, acme: Any, change: str) -> None:
    _by_force(
        conn, f"update audit.log set {change} where organization_id = %s and sequence = 5", acme.id
    )
    found = _problems(conn, acme)
    assert ("row 5", CHANGED) in found
    assert (("row 6", CHANGED) in found) is change.startswith("hash")


def test_every_column_of_the_trail_is_in_its_hash(conn: Connection) -> None:
    """The list above, against the catalogue: a new column must be tried too."""
    columns = conn.execute(
        "select array_agg(attname::text order by attnum) from pg_attribute "
        "where attrelid = 'audit.log'::regclass and attnum > 0"
    ).fetchone()
    assert columns is not None
    assert columns[0] == [
        "organization_id", "sequence", "at", "login", "role", "user_id", "client", "request_id",
        "reason", "action", "relation", "row_id", "version", "before", "after", "changed", "hash",
    ]  # fmt: skip


def test_a_removed_row_is_found(conn: Connection, acme: Any, globex: Any) -> None:
    remove = "delete from audit.log where organization_id = %s and sequence = any (%s)"
    _by_force(conn, remove, acme.id, [1, 7, 8])
    assert ("row 2", "rows 1 to 1 are missing") in _problems(conn, acme)
    assert ("row 9", "rows 7 to 8 are missing") in _problems(conn, acme)
    assert _problems(conn, globex) == []


def test_an_end_that_was_cut_off_is_found(conn: Connection, acme: Any) -> None:
    with _acting(conn, acme):
        conn.execute(RENAME, ("Pump A", acme.asset()))
    sequence, head = _newest(conn, acme, "sequence, hash")
    cut = "delete from audit.log where organization_id = %s and sequence = %s"
    _by_force(conn, cut, acme.id, sequence)
    (problem,) = _problems(conn, acme)
    assert problem == (
        f"registry.asset {acme.asset()}", "is at version 2, and the trail knows version 1 last",
    )  # fmt: skip
    with conn.transaction():
        conn.execute(
            "insert into audit.review (organization_id, from_at, until_at, head_sequence, "
            "head_hash, finding) values (%s, now() - interval '1 day', now(), %s, %s, 'fine')",
            (acme.id, sequence, head),
        )
        conn.execute("set constraints all immediate")
    assert any("saw another row here" in text for _, text in _problems(conn, acme))


def test_an_inserted_row_is_found(conn: Connection, acme: Any) -> None:
    copy = (
        "insert into audit.log select organization_id, sequence + (select max(sequence) from "
        "audit.log), at, login, role, user_id, client, request_id, reason, action, relation, "
        "row_id, version, before, after, changed, hash from audit.log "
        "where organization_id = %s and sequence = 1"
    )
    newest = _newest(conn, acme, "sequence")[0]
    _by_force(conn, copy, acme.id)
    assert any(where == f"row {newest + 1}" for where, _ in _problems(conn, acme))


def test_a_change_past_the_triggers_is_found(conn: Connection, acme: Any) -> None:
    _by_force(conn, "update registry.asset set version = 7 where id = %s", acme.asset())
    new = acme.event("smuggled")
    _by_force(
        conn, "insert into registry.tag (id, organization_id, name) values (%s, %s, 'ble:no')",
        new, acme.id,
    )  # fmt: skip
    assert _problems(conn, acme) == [
        (f"registry.asset {acme.asset()}", "is at version 7, and the trail knows version 1 last"),
        (f"registry.tag {new}", "is at version 1, and the trail does not know it"),
    ]


def _together(url: str, workers: int, work: Any) -> list[Any]:
    """Run `work(connection, number)` in threads that start at once; results, errors included."""
    results: list[Any] = []
    start = threading.Barrier(workers)

    def run(number: int) -> None:
        with connect(url) as connection:
            start.wait()
            try:
                results.append(work(connection, number))
            except Exception as error:
                results.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def admin(url: str) -> Iterator[Connection]:
    """What these tests do is committed: they keep to assets and tags of their own."""
    with connect(url) as connection:
        yield connection


def test_eight_writers_make_one_chain(admin: Connection, url: str, acme: Any, globex: Any) -> None:
    """Several rows a transaction, in two organizations: no gap, no deadlock, nothing lost."""
    before = {chain.organization: chain.rows for chain in verify(admin)}

    def work(connection: Connection, number: int) -> int:
        org = (acme, globex)[number % 2]
        for turn in range(10):
            with _acting(connection, org):
                for part in range(3):
                    connection.execute(
                        "insert into registry.tag (id, organization_id, name) values (%s, %s, %s)",
                        (uuid4(), org.id, f"ble:{number}-{turn}-{part}"),
                    )
        return 30

    assert _together(url, 8, work) == [30] * 8
    after: dict[str, Chain] = {chain.organization: chain for chain in verify(admin)}
    for code, rows in before.items():
        assert after[code].rows == rows + 120
        assert after[code].problems == []


def test_of_eight_writers_one_wins_each_version(admin: Connection, url: str, acme: Any) -> None:
    """`where version = ...` is the lock; who comes late changes nothing and knows it."""
    claim = (
        "update registry.asset set notes = coalesce(notes, '') || %s where id = %s and version = %s"
    )

    def work(connection: Connection, number: int) -> list[int]:
        won = []
        for _ in range(15):
            with _acting(connection, acme):
                row = connection.execute(
                    "select version from registry.asset where id = %s", (acme.asset("P-2"),)
                ).fetchone()
                assert row is not None
                mark = f"[{row[0] + 1}:{number}]"
                if connection.execute(claim, (mark, acme.asset("P-2"), row[0])).rowcount:
                    won.append(row[0] + 1)
        return won

    versions = [version for won in _together(url, 8, work) for version in won]
    row = admin.execute(
        "select version, notes from registry.asset where id = %s", (acme.asset("P-2"),)
    ).fetchone()
    assert row is not None
    assert sorted(versions) == list(range(2, row[0] + 1)), "each version has one winner"
    assert all(f"[{version}:" in row[1] for version in versions), "and none was lost"
    assert admin.execute(
        "select array_agg(version order by sequence) from audit.log "
        "where row_id = %s and action = 'UPDATE'",
        (acme.asset("P-2"),),
    ).fetchone() == (sorted(versions),)


def test_a_writer_who_sends_an_old_version_is_refused(admin: Connection, acme: Any) -> None:
    with _acting(admin, acme):
        admin.execute(RENAME, ("first", acme.asset("P-2")))
    with pytest.raises(psycopg.errors.SerializationFailure), _acting(admin, acme):
        admin.execute(
            "update registry.asset set name = 'second', version = 1 where id = %s",
            (acme.asset("P-2"),),
        )


def test_a_snapshot_that_is_too_old_for_the_chain_is_refused(
    admin: Connection, url: str, acme: Any
) -> None:
    with (
        connect(url) as other,
        pytest.raises(psycopg.errors.SerializationFailure, match="try the transaction again"),
        other.transaction(),
    ):
        other.execute("set transaction isolation level repeatable read")
        other.execute("select from registry.vendor")
        with _acting(admin, acme):
            admin.execute(RENAME, ("first", acme.asset("P-2")))
        other.execute(
            "update registry.vendor set name = 'x' where organization_id = %s", (acme.id,)
        )
    assert _problems(admin, acme) == []
