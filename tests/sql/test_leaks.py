"""The leak matrix: every relation, every role of tenants, both organizations, every way in.

What is tried is read from the catalogue, so that a new table, view, function or foreign key is
tried too. tests/sql/test_isolation.py has what needs a login or a story of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from pipeline.database.connect import Connection

TENANTS = ("biotrakr_analyst", "biotrakr_app")
SCHEMAS = [
    "app", "registry", "maintenance", "compliance", "finance", "prediction", "audit", "tracking",
    "telemetry", "chunks", "pipeline", "reporting", "ops",
]  # fmt: skip
PROTECTED = [
    "registry", "maintenance", "compliance", "finance", "prediction", "audit", "tracking",
]  # fmt: skip


def _relations(conn: Connection, role: str, privilege: str, kinds: str) -> list[str]:
    """What of ours `role` may name and use, as schema.name."""
    return [
        name
        for (name,) in conn.execute(
            "select c.oid::regclass::text from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace "
            "where n.nspname = any (%s) and c.relkind = any (%s) "
            "and has_schema_privilege(%s, n.oid, 'usage') "
            "and has_table_privilege(%s, c.oid, %s) order by 1",
            (SCHEMAS, list(kinds), role, role, privilege),
        )
    ]


def _tenant(table: str) -> str:
    return "id" if table == "registry.organization" else "organization_id"


@pytest.fixture(params=TENANTS)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["acme", "globex"])
def pair(request: pytest.FixtureRequest, acme: Any, globex: Any) -> tuple[Any, Any]:
    """(the tenant who tries, the one who must stay hidden)"""
    return (acme, globex) if request.param == "acme" else (globex, acme)


def test_copy_out_shows_what_select_shows(
    conn: Connection, become: Any, role: str, pair: tuple[Any, Any]
) -> None:
    own, other = pair
    relations = _relations(conn, role, "select", "rv")
    assert len(relations) > 90
    with become(conn, role, own.id):
        for relation in relations:
            with conn.cursor().copy(f"copy (select * from {relation}) to stdout".encode()) as out:
                text = b"".join(bytes(block) for block in out)
            assert str(other.id).encode() not in text, relation
            assert own.code.encode() in text or other.code.encode() not in text, relation


def test_copy_in_is_refused(
    conn: Connection, become: Any, role: str, pair: tuple[Any, Any]
) -> None:
    for table in _relations(conn, role, "insert", "r"):
        refused = (psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege)
        with become(conn, role, pair[0].id), pytest.raises(refused):
            conn.cursor().execute(f"copy {table} from stdin".encode())


def test_a_filter_that_costs_nothing_sees_no_foreign_row(
    conn: Connection, become: Any, role: str, pair: tuple[Any, Any]
) -> None:
    """The planner likes to run it before the policy; a leak would print, or raise, a foreign id."""
    own, other = pair
    seen: set[str] = set()
    conn.add_notice_handler(lambda notice: seen.add(notice.message_primary or ""))
    with become(conn, role, own.id):
        conn.execute("set local enable_indexscan = off")
        conn.execute("set local enable_bitmapscan = off")
        conn.execute(
            "create function pg_temp.peek(what uuid) returns boolean language plpgsql "
            "cost 0.0000001 as $$ begin raise notice '%', what; return true; end $$"
        )
        for relation in _relations(conn, role, "select", "rv"):
            column = _tenant(relation)
            seen.clear()
            rows = conn.execute(
                f"select {column} from {relation} where pg_temp.peek({column})".encode()
            ).fetchall()
            assert str(other.id) not in seen, relation
            if rows:
                assert str(own.id) in seen, f"{relation}: the filter was not even asked"


def test_statistics_tell_nothing(
    conn: Connection, become: Any, role: str, pair: tuple[Any, Any]
) -> None:
    conn.execute("analyze")
    with become(conn, role, pair[0].id):
        told = conn.execute(
            "select schemaname, tablename, attname from pg_stats where schemaname = any (%s) "
            "and schemaname <> 'telemetry'",
            (SCHEMAS,),
        ).fetchall()
        told += conn.execute(
            "select 1 from pg_stats where most_common_vals::text like %s "
            "or histogram_bounds::text like %s",
            (f"%{pair[1].id}%", f"%{pair[1].id}%"),
        ).fetchall()
    assert told == []


def _one(conn: Connection, table: str, org: UUID) -> dict[str, Any]:
    cursor = conn.cursor(row_factory=psycopg.rows.dict_row)
    row = cursor.execute(
        f"select * from {table} where {_tenant(table)} = %s limit 1".encode(), (org,)
    ).fetchone()
    assert row is not None, table
    return row


def test_no_row_can_be_written_into_another_organization(
    conn: Connection, become: Any, pair: tuple[Any, Any]
) -> None:
    """Inserted, moved there, or changed in place; for every table that the application writes."""
    own, other = pair
    tables = _relations(conn, "biotrakr_app", "insert", "r")
    assert len(tables) > 60
    for table in tables:
        column = _tenant(table)
        if table == "registry.organization":
            continue  # its id is the tenant: nothing else to move
        with become(conn, "biotrakr_app", own.id):
            found = conn.execute(
                f"select * from {table} where {column} = %s".encode(), (other.id,)
            ).fetchall()
            assert found == [], table
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security")
        generated = conn.execute(
            "select array_agg(attname::text order by attnum) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped "
            "and attgenerated = ''",
            (table,),
        ).fetchone()
        assert generated is not None
        names = [name for name in generated[0] if name not in ("id", column)]
        copied = f"{column}, {', '.join(names)}"
        values = f"%s, {', '.join(names)}"
        if "id" in generated[0]:
            copied, values = f"id, {copied}", f"gen_random_uuid(), {values}"
        with become(conn, "biotrakr_app", own.id), refused:
            conn.execute(
                f"insert into {table} ({copied}) select {values} from {table} limit 1".encode(),
                (other.id,),
            )
        if table not in _relations(conn, "biotrakr_app", "update", "r"):
            continue
        with become(conn, "biotrakr_app", own.id), refused:
            conn.execute(f"update {table} set {column} = %s".encode(), (other.id,))
        with become(conn, "biotrakr_app", own.id):
            changed = conn.execute(
                f"update {table} set {column} = {column} where {column} = %s".encode(), (other.id,)
            )
            assert changed.rowcount == 0, table


FOREIGN_KEYS = """
    select k.conrelid::regclass::text, k.confrelid::regclass::text, (
        select a.attname::text from unnest(k.conkey) as n
        join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = n
        where a.attname <> 'organization_id')
    from pg_constraint as k
    join pg_class as c on c.oid = k.conrelid
    join pg_namespace as n on n.oid = c.relnamespace
    where k.contype = 'f' and n.nspname = any (%s) and array_length(k.conkey, 1) = 2
        and has_table_privilege('biotrakr_app', k.conrelid, 'update')
    order by 1, 3
"""


def _refusal(conn: Connection, table: str, column: str, value: UUID, key: str, row: UUID) -> str:
    """Try to point a row at `value`; what the database says. A trigger may put another there."""
    where = f"where {key} = %s"
    try:
        conn.execute(f"update {table} set {column} = %s {where}".encode(), (value, row))
        conn.execute("set constraints all immediate")
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation) as error:
        return str(error)
    stored = conn.execute(f"select {column} from {table} {where}".encode(), (row,)).fetchone()
    assert stored is not None
    assert stored[0] != value, f"{table}.{column} points at a foreign row"
    return "replaced"


def test_no_foreign_key_reaches_into_another_organization(
    conn: Connection, become: Any, pair: tuple[Any, Any]
) -> None:
    """A foreign row's id is refused as one is that does not exist: in the same words."""
    own, other = pair
    keys = conn.execute(FOREIGN_KEYS, (PROTECTED,)).fetchall()
    assert len(keys) > 120
    violated = 0
    for table, target, column in keys:
        if table == "registry.facility_revision":
            continue  # the key is its primary key too: see the next tests
        foreign = _one(conn, target, other.id)["id"]
        key = "id" if "id" in _one(conn, table, own.id) else "facility_id"
        row = _one(conn, table, own.id)[key]
        texts = []
        for value in (foreign, uuid4()):
            with become(conn, "biotrakr_app", own.id):
                text = _refusal(conn, table, column, value, key, row)
            violated += "foreign key" in text
            assert str(other.id) not in text
            texts.append(text.replace(str(value), "ID"))
        assert texts[0] == texts[1], f"{table}.{column}"
    assert violated > 200


def test_what_another_organization_uses_is_still_free(
    conn: Connection, become: Any, pair: tuple[Any, Any]
) -> None:
    """Every unique or exclusion constraint holds the organization, or is a key of uuids."""
    open_ones = conn.execute(
        """select c.oid::regclass::text, i.indexrelid::regclass::text, array(
            select a.attname::text from unnest(i.indkey::int[]) as k (n)
            join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.n)
        from pg_index as i join pg_class as c on c.oid = i.indrelid
        join pg_namespace as n on n.oid = c.relnamespace
        where (i.indisunique or i.indisexclusion) and n.nspname = any (%s)
            and has_table_privilege('biotrakr_app', c.oid, 'insert')""",
        (PROTECTED,),
    ).fetchall()
    for table, index, columns in open_ones:
        if table == "registry.organization":
            continue
        if columns in (["id"], ["facility_id"]):
            continue
        assert "organization_id" in columns, f"{table}: {index}"


def test_a_key_that_is_taken_elsewhere_is_refused_without_a_word_about_the_row(
    conn: Connection, become: Any, pair: tuple[Any, Any]
) -> None:
    own, other = pair
    vendor = other.event("registry.vendor")
    with (
        become(conn, "biotrakr_app", own.id),
        pytest.raises(psycopg.errors.UniqueViolation) as caught,
    ):
        conn.execute(
            "insert into registry.vendor (id, organization_id, code, name, type) "
            "values (%s, %s, 'V2', 'Mine', 'DISTRIBUTOR')",
            (vendor, own.id),
        )
    # What remains: that some row has this id. Ids are uuids, but a site file's follow from codes.
    assert caught.value.diag.message_detail is None
    tag = "select tag_id from registry.tag_assignment where organization_id = %s limit 1"
    found = conn.execute(tag, (other.id,)).fetchone()
    assert found is not None
    with (
        become(conn, "biotrakr_app", own.id),
        pytest.raises(psycopg.errors.ForeignKeyViolation),
    ):
        conn.execute(
            "insert into registry.tag_assignment (organization_id, tag_id, asset_id, during) "
            "values (%s, %s, %s, tstzrange(now(), null))",
            (own.id, found[0], own.asset()),
        )


# A function that runs with its owner's rights can show what it likes: each has a test.
DEFINERS = {
    "app.current_org()": "tests/sql/test_isolation.py",
    "app.current_facilities()": "below",
    "app.facility_clock(uuid)": "tests/sql/test_isolation.py",
    "audit.note(text,text,text)": "tests/sql/test_audit.py",
    "audit.began()": "a time, no tenant's",
    "app.find_similar(text,double precision,integer)": "tests/sql/test_search.py",
    "app.find_words(text,integer)": "tests/sql/test_search.py",
}


def test_every_function_with_its_owners_rights_is_known(conn: Connection) -> None:
    found = conn.execute(
        "select p.oid::regprocedure::text from pg_proc as p "
        "join pg_namespace as n on n.oid = p.pronamespace "
        "where p.prosecdef and n.nspname = any (%s) and (has_function_privilege"
        "('biotrakr_app', p.oid, 'execute') or has_function_privilege('biotrakr_analyst', p.oid, "
        "'execute'))",
        (SCHEMAS,),
    ).fetchall()
    assert {name for (name,) in found} == set(DEFINERS)


def test_functions_show_nothing_of_another_organization(
    conn: Connection, become: Any, role: str, pair: tuple[Any, Any]
) -> None:
    """Every function that returns rows and can be called with a time, dates, or a uuid."""
    own, other = pair
    functions = conn.execute(
        "select p.oid::regprocedure::text, p.proname::text, n.nspname::text, "
        "array(select format_type(t, null) from unnest(p.proargtypes) as t) "
        "from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace "
        "where n.nspname = any (%s) and p.proretset and p.prokind = 'f' "
        "and has_function_privilege(%s, p.oid, 'execute')",
        (SCHEMAS, role),
    ).fetchall()
    samples = {
        "timestamp with time zone": "timestamptz '2026-03-02 13:00+00'",
        "date": "date '2026-03-02'", "uuid": f"uuid '{other.id}'", "bigint": "1::bigint",
        "integer": "1", "text": "'x'", "numeric": "1.0", "interval": "interval '1 day'",
        "boolean": "true", "double precision": "1.0::double precision",
    }  # fmt: skip
    called = 0
    for signature, name, schema, types in functions:
        if not all(kind in samples for kind in types):
            continue
        arguments = ", ".join(samples[kind] for kind in types)
        with become(conn, role, own.id):
            try:
                rows = conn.execute(
                    f"select f::text from {schema}.{name}({arguments}) as f".encode()
                ).fetchall()
            except (psycopg.errors.DataException, psycopg.errors.RaiseException):
                continue  # does not like the sample
        called += 1
        assert not any(str(other.id) in text for (text,) in rows if text), signature
    assert called >= 5


@pytest.mark.parametrize("outsider", ["biotrakr_ingest", "biotrakr_backfill"])
def test_the_dataflow_reads_no_more_than_it_needs(conn: Connection, outsider: str) -> None:
    readable = _relations(conn, outsider, "select", "rv")
    schemas = {name.partition(".")[0] for name in readable}
    assert schemas <= {"registry", "tracking", "telemetry", "pipeline"}
    assert not {"registry.user_account", "registry.vendor", "registry.contract"} & set(readable)


def test_nobody_can_truncate_or_delete(conn: Connection, role: str) -> None:
    for privilege in ("delete", "truncate", "trigger", "references"):
        assert _relations(conn, role, privilege, "rv") == [], privilege


# Per facility


@pytest.fixture
def south(conn: Connection, acme: Any) -> UUID:
    """Another facility of acme, in which nothing is."""
    conn.execute(
        "insert into registry.facility (id, organization_id, code, name) "
        "values (%s, %s, 'south', 'South')",
        (acme.event("south"), acme.id),
    )
    return acme.event("south")


@pytest.fixture
def acting(conn: Connection, acme: Any, become: Any) -> Any:
    """`with acting(role, facility):` a user of acme with one role in the facility; None: none."""

    def take(role: str, *facilities: UUID | None) -> Any:
        user = uuid4()
        conn.execute(
            "insert into registry.user_account (id, organization_id, username, display_name) "
            "values (%s, %s, %s, 'U')",
            (user, acme.id, str(user)),
        )
        for facility in facilities:
            conn.execute(
                "insert into registry.user_role (organization_id, user_id, role, facility_id) "
                "values (%s, %s, 'VIEWER', %s)",
                (acme.id, user, facility),
            )
        conn.execute("select set_config('app.user_id', %s, true)", (str(user),))
        return become(conn, role, acme.id)

    return take


@pytest.fixture
def confined(conn: Connection) -> list[str]:
    """The tables with a policy by facility."""
    return [
        table
        for (table,) in conn.execute(
            "select schemaname || '.' || tablename from pg_policies where policyname = 'facility' "
            "order by 1"
        )
    ]


def _count(conn: Connection, relation: str) -> int:
    row = conn.execute(f"select count(*) from {relation}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_user_of_one_facility_sees_nothing_of_the_other(
    conn: Connection, south: UUID, acting: Any, acme: Any, confined: list[str], role: str
) -> None:
    assert len(confined) > 40
    with acting(role, None):
        everything = {table: _count(conn, table) for table in confined}
    assert all(everything.values()), "each table holds a row"
    with acting(role, acme.facility):
        mine = {table: _count(conn, table) for table in confined}
    everything["registry.facility"] -= 1  # the empty one
    everything["registry.facility_revision"] -= 1
    assert mine == everything
    with acting(role, south):
        theirs = {table: _count(conn, table) for table in confined}
    assert {table for table, rows in theirs.items() if rows} == {
        "registry.facility", "registry.facility_revision",
    }  # fmt: skip
    with acting(role):
        assert not any(_count(conn, table) for table in confined), "a user without any role"
    with acting(role, south, acme.facility):
        assert _count(conn, "registry.asset") == everything["registry.asset"]


def test_no_view_shows_a_confined_user_more(
    conn: Connection, south: UUID, acting: Any, acme: Any, role: str
) -> None:
    assets = conn.execute(
        "select array_agg(id) from registry.asset where organization_id = %s", (acme.id,)
    ).fetchone()
    assert assets is not None
    shown = 0
    with acting(role, south):
        for view in _relations(conn, role, "select", "v"):
            columns = {
                name
                for (name,) in conn.execute(
                    "select attname::text from pg_attribute where attrelid = %s::regclass "
                    "and attnum > 0 and attname in ('facility_id', 'asset_id')",
                    (view,),
                )
            }
            for column in columns:
                shown += 1
                hidden = [acme.facility] if column == "facility_id" else assets[0]
                found = conn.execute(
                    f"select count(*) from {view} where {column} = any (%s)".encode(), (hidden,)
                ).fetchone()
                assert found == (0,), f"{view}.{column}"
    assert shown > 40


def test_what_stands_in_a_facility_is_seen_there_whoever_owns_it(
    conn: Connection, south: UUID, acting: Any, acme: Any
) -> None:
    conn.execute("update registry.asset set facility_id = %s where id = %s", (south, acme.asset()))
    query = "select count(*) from reporting.current_location where asset_id = %s"
    with acting("biotrakr_analyst", acme.facility):
        assert conn.execute(query, (acme.asset(),)).fetchone() == (1,)


def test_a_confined_user_writes_only_at_home(
    conn: Connection, south: UUID, acting: Any, acme: Any
) -> None:
    rename = "update registry.asset set name = 'mine' where id = %s"
    with acting("biotrakr_app", acme.facility):
        assert conn.execute(rename, (acme.asset(),)).rowcount == 1
    with acting("biotrakr_app", south):
        assert conn.execute(rename, (acme.asset(),)).rowcount == 0
    for facility, allowed in ((south, True), (acme.facility, False)):
        with acting("biotrakr_app", south):
            new = (
                "insert into registry.asset (id, organization_id, facility_id, tag_number, name, "
                "manufacturer, model, serial_number, category) "
                "values (%s, %s, %s, 'S-1', 'Bed', '', '', '', 'OTHER')"
            )
            values = (uuid4(), acme.id, facility)
            if allowed:
                assert conn.execute(new, values).rowcount == 1
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level"):
                    conn.execute(new, values)


@pytest.fixture
def no_user(conn: Connection) -> Iterator[None]:
    yield
    conn.execute("select set_config('app.user_id', '', true)")


def test_a_user_of_another_organization_sees_nothing_here(
    conn: Connection, become: Any, acme: Any, globex: Any, no_user: None
) -> None:
    """A role there opens nothing here."""
    conn.execute(
        "select set_config('app.user_id', %s, true)", (str(globex.event("registry.user_account")),)
    )
    with become(conn, "biotrakr_app", acme.id):
        assert _count(conn, "registry.asset") == 0
    with become(conn, "biotrakr_app", globex.id):
        assert _count(conn, "registry.asset") > 0
