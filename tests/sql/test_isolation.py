"""One tenant never sees another: tried, for every relation and every way in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.testing import DatabaseServer

READABLE = """
    select c.oid::regclass::text from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm', 'p')
        and n.nspname not in ('pg_catalog', 'information_schema')
        and n.nspname not like '\\_timescaledb%%' and n.nspname not like 'timescaledb\\_%%'
        and has_schema_privilege(%s, n.oid, 'usage')
        and has_table_privilege(%s, c.oid, 'select')
    order by 1"""


def _readable(conn: Connection, role: str) -> list[str]:
    return [name for (name,) in conn.execute(READABLE, (role, role))]


def _owners(conn: Connection, relation: str) -> set[Any]:
    """The organizations whose rows the present role sees in `relation`."""
    column = "id" if relation == "registry.organization" else "organization_id"
    return {org for (org,) in conn.execute(f"select distinct {column} from {relation}".encode())}


@pytest.mark.parametrize("role", ["biotrakr_analyst", "biotrakr_app"])
def test_every_readable_relation_shows_one_organization_or_nothing(
    conn: Connection, become: Any, acme: Any, globex: Any, role: str
) -> None:
    relations = _readable(conn, role)
    assert "reporting.current_location" in relations
    for relation in relations:
        for org in (acme, globex):
            with become(conn, role, org.id):
                seen = _owners(conn, relation)
            # A view may have nothing to say about one row a table.
            assert seen == {org.id} or (not seen and relation.startswith("reporting.")), relation
        with become(conn, role):
            assert _owners(conn, relation) == set(), f"{relation} without an organization"
        with become(conn, role, uuid4()):
            assert _owners(conn, relation) == set(), f"{relation} with an unknown organization"


def test_an_analyst_can_name_what_row_security_covers_only(conn: Connection) -> None:
    assert {name.partition(".")[0] for name in _readable(conn, "biotrakr_analyst")} == {
        "reporting", "registry", "tracking", "maintenance", "compliance", "finance", "prediction",
        "audit",
    }  # fmt: skip


@pytest.mark.parametrize(
    "relation",
    [
        "telemetry.location_history",
        "telemetry.location_hourly",
        "telemetry.sensor_reading",
        "telemetry.sensor_hourly",
        "telemetry.usage_log",
        "telemetry.prediction_score",
        "pipeline.outbox",
        "pipeline.gateway_status",
        "pipeline.dead_letter",
        "ops.migration",
        "app.login_organization",
        "app.login_facility",
        "app.asset_search",
        "app.search_word",
        "ops.retention_policy",
    ],
)
@pytest.mark.parametrize("role", ["biotrakr_analyst", "biotrakr_app"])
def test_what_has_no_row_security_is_out_of_reach(
    conn: Connection, become: Any, acme: Any, role: str, relation: str
) -> None:
    with become(conn, role, acme.id), pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(f"select 1 from {relation}".encode())


@pytest.mark.parametrize("role", ["biotrakr_analyst", "biotrakr_app", "biotrakr_ingest"])
def test_a_chunk_cannot_be_read_by_its_name(
    conn: Connection, become: Any, acme: Any, role: str
) -> None:
    chunks = conn.execute(
        "select c::text from timescaledb_information.hypertables as h "
        "cross join lateral show_chunks(format('%I.%I', h.hypertable_schema, h.hypertable_name)) "
        "as c where h.hypertable_schema = 'telemetry'"
    ).fetchall()
    assert len(chunks) >= 4, "each of the four hypertables holds a row"
    for (chunk,) in chunks:
        with become(conn, role, acme.id), pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(f"select * from {chunk}".encode())


def _peeked(conn: Connection, view: str, column: str) -> list[str]:
    """What a nearly free filter over `view` gets to see; the planner likes to run such first."""
    seen: list[str] = []

    def note(notice: psycopg.errors.Diagnostic) -> None:
        seen.append(notice.message_primary or "")

    # Left to itself the planner would use an index, and hide a missing barrier.
    conn.execute("set local enable_indexscan = off")
    conn.execute("set local enable_bitmapscan = off")
    conn.execute(
        "create or replace function pg_temp.peek(what uuid) returns boolean language plpgsql "
        "cost 0.0000001 as $$ begin raise notice '%', what; return true; end $$"
    )
    conn.add_notice_handler(note)
    conn.execute(f"select * from reporting.{view} where pg_temp.peek({column})".encode())
    conn.remove_notice_handler(note)
    return seen


@pytest.mark.parametrize(
    "view",
    [
        "location_history", "gateway_health", "current_location", "sensor_reading",
        "sensor_hourly", "usage_log", "usage_daily", "prediction_score",
    ],
)  # fmt: skip
def test_a_cheap_filter_sees_no_foreign_row(
    conn: Connection, become: Any, acme: Any, globex: Any, view: str
) -> None:
    column = "gateway_id" if view == "gateway_health" else "asset_id"
    with become(conn, "biotrakr_analyst", acme.id):
        seen = _peeked(conn, view, column)
    own, foreign = (
        org.gateway if column == "gateway_id" else org.asset() for org in (acme, globex)
    )
    assert str(own) in seen
    assert str(foreign) not in seen


@pytest.mark.parametrize(("option", "leaks"), [("", True), ("with (security_barrier)", False)])
def test_the_barrier_is_what_stops_it(
    conn: Connection, become: Any, acme: Any, globex: Any, option: str, leaks: bool
) -> None:
    """The control of the test above: without a barrier the same filter sees every tenant."""
    conn.execute("set local role biotrakr_owner")
    conn.execute(
        f"create view reporting.bare {option} as select * from telemetry.location_history "
        "where organization_id = (select app.current_org())".encode()
    )
    conn.execute("grant select on reporting.bare to biotrakr_analyst")
    conn.execute("reset role")
    with become(conn, "biotrakr_analyst", acme.id):
        seen = _peeked(conn, "bare", "asset_id")
    assert str(acme.asset()) in seen
    assert (str(globex.asset()) in seen) is leaks


def test_a_tenant_cannot_write_into_another(
    conn: Connection, become: Any, acme: Any, globex: Any
) -> None:
    tag = "insert into registry.tag (id, organization_id, name) values (%s, %s, 'ble:new')"
    with become(conn, "biotrakr_app", acme.id):
        conn.execute(tag, (uuid4(), acme.id))
    with (
        become(conn, "biotrakr_app", acme.id),
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        conn.execute(tag, (uuid4(), globex.id))
    with become(conn, "biotrakr_app", acme.id):
        rename = "update registry.asset set name = 'mine' where id = %s"
        assert conn.execute(rename, (globex.asset(),)).rowcount == 0
        assert conn.execute(rename, (acme.asset(),)).rowcount == 1
    with (
        become(conn, "biotrakr_app", acme.id),
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        conn.execute("update registry.asset set organization_id = %s", (globex.id,))


def test_a_foreign_key_cannot_reach_into_another_tenant(
    conn: Connection, become: Any, acme: Any, globex: Any
) -> None:
    room = (
        "insert into registry.room (id, organization_id, floor_id, code, name, polygon) "
        "values (%s, %s, %s, 'new', 'New', '[]')"
    )
    with become(conn, "biotrakr_app", acme.id):
        conn.execute(room, (uuid4(), acme.id, acme.floor))
    with become(conn, "biotrakr_app", acme.id), pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(room, (uuid4(), acme.id, globex.floor))


def test_the_setting_left_by_a_transaction_is_nobody(url: str, acme: Any) -> None:
    """After SET LOCAL the setting is an empty string, which is no uuid."""
    with connect(url, role="biotrakr_app") as conn:
        with conn.transaction():
            conn.execute("select set_config('app.org_id', %s, true)", (str(acme.id),))
            assert conn.execute("select app.current_org()").fetchone() == (acme.id,)
        assert conn.execute("select current_setting('app.org_id', true)").fetchone() == ("",)
        assert conn.execute("select app.current_org()").fetchone() == (None,)
        assert conn.execute("select count(*) from registry.asset").fetchone() == (0,)


def test_the_clock_of_another_facility_is_not_told(
    conn: Connection, become: Any, acme: Any, globex: Any
) -> None:
    with become(conn, "biotrakr_analyst", acme.id):
        row = conn.execute(
            "select app.facility_clock(%s) is null, app.facility_clock(%s) is null",
            (acme.facility, globex.facility),
        ).fetchone()
    assert row == (False, True)


@pytest.fixture
def analyst(server: DatabaseServer, url: str, globex: Any) -> Iterator[Connection]:
    """A real login that is a member of biotrakr_analyst and of nothing else."""
    with connect(url) as admin:
        admin.execute("create role ann login password 'ann' in role biotrakr_analyst")
        # What somebody else may see is nothing to her.
        admin.execute("insert into app.login_organization values ('bob', %s)", (globex.id,))
        try:
            database = url.rpartition("/")[2]
            with connect(server.url_of(database, user="ann", password="ann")) as conn:
                yield conn
        finally:
            admin.execute("delete from app.login_organization")
            admin.execute("drop role ann")


def _confine(url: str, *orgs: Any) -> None:
    with connect(url) as admin:
        for org in orgs:
            admin.execute(
                "insert into app.login_organization (login, organization_id) values ('ann', %s)",
                (org.id,),
            )


VIEW = "reporting.current_location"


def test_a_login_that_can_type_set_cannot_choose_another_tenant(
    analyst: Connection, url: str, acme: Any, globex: Any
) -> None:
    assert _owners(analyst, VIEW) == set()
    analyst.execute(f"set app.org_id = '{acme.id}'".encode())
    assert _owners(analyst, VIEW) == set(), "nobody has let this login in"
    _confine(url, acme)
    assert _owners(analyst, VIEW) == {acme.id}
    analyst.execute(f"set app.org_id = '{globex.id}'".encode())
    assert _owners(analyst, VIEW) == set()
    analyst.execute("reset app.org_id")
    assert _owners(analyst, VIEW) == {acme.id}, "with one organization nothing need be set"


def test_a_login_of_two_organizations_chooses(
    analyst: Connection, url: str, acme: Any, globex: Any
) -> None:
    _confine(url, acme, globex)
    assert _owners(analyst, VIEW) == set()
    for org in (acme, globex):
        analyst.execute(f"set app.org_id = '{org.id}'".encode())
        assert _owners(analyst, VIEW) == {org.id}


def test_an_analyst_login_cannot_take_another_role(analyst: Connection) -> None:
    for role in ("biotrakr_app", "biotrakr_ingest", "biotrakr_owner", "postgres"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(f"set role {role}".encode())


def test_an_analyst_login_cannot_let_itself_in(analyst: Connection, acme: Any) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("insert into app.login_organization values ('ann', %s)", (acme.id,))
