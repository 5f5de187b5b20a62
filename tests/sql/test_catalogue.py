"""Isolation as the catalogue shows it: each rule holds for every object, also for new ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.database.connect import Connection

SCHEMAS = (
    "app", "registry", "maintenance", "compliance", "finance", "prediction", "audit", "tracking",
    "telemetry", "chunks", "pipeline", "reporting", "ops",
)  # fmt: skip
OURS = f"({', '.join(repr(schema) for schema in SCHEMAS)})"
PROTECTED = {
    "registry", "tracking", "maintenance", "compliance", "finance", "prediction", "audit",
}  # fmt: skip
TENANTS = ("biotrakr_analyst", "biotrakr_app")
EVERYBODY = (*TENANTS, "biotrakr_ingest", "biotrakr_backup", "biotrakr_owner")

# Unique keys that do not start with organization_id: uuids that cannot be guessed or chosen to
# collide (a tenant who invents one learns nothing), and books that no tenant may write.
JUSTIFIED = {
    "registry.organization": {"organization_pkey": "uuid", "organization_code": "topics start so"},
    "app.login_organization": {"login_organization_pkey": "no tenant may read it"},
    "app.login_facility": {"login_facility_pkey": "no tenant may read it"},
    "telemetry.location_history": {"location_history_pkey": "natural key; no tenant has a right"},
    "telemetry.sensor_reading": {"sensor_reading_pkey": "natural key; no tenant has a right"},
    "telemetry.usage_log": {"usage_log_pkey": "natural key; no tenant has a right"},
    "telemetry.prediction_score": {"prediction_score_pkey": "natural key; no tenant has a right"},
    "tracking.alert_event": {"alert_event_pkey": "uuid of the alert"},
    "pipeline.gateway_status": {"gateway_status_pkey": "uuid; no tenant has a right"},
    "pipeline.unknown_tag": {"unknown_tag_pkey": "uuid; no tenant has a right"},
}


def _rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query.encode()).fetchall()


def _tenant_tables(conn: Connection) -> list[tuple[int, str, bool, bool]]:
    return _rows(
        conn,
        f"""select c.oid, c.oid::regclass::text, c.relrowsecurity, c.relforcerowsecurity
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = c.oid and a.attname = 'organization_id'
        where c.relkind in ('r', 'p') and n.nspname in {OURS} and n.nspname <> 'chunks'
        order by 2""",
    )


def test_there_is_something_to_look_at(conn: Connection) -> None:
    names = [name for _, name, _, _ in _tenant_tables(conn)]
    assert "registry.asset" in names
    assert "tracking.alert" in names
    assert "telemetry.location_history" in names
    assert len(names) > 20


def test_every_tenant_table_has_forced_row_security_or_no_grant(conn: Connection) -> None:
    for oid, name, enabled, forced in _tenant_tables(conn):
        if enabled and forced:
            continue
        for role in TENANTS:
            row = conn.execute(
                "select has_table_privilege(%s, %s::oid, "
                "'select, insert, update, delete, truncate')",
                (role, oid),
            ).fetchone()
            assert row == (False,), f"{role} has a right on {name}, which has no row security"


ORGANIZATION = "(organization_id = ( SELECT app.current_org() AS current_org))"
FACILITIES = "( SELECT app.current_facilities() AS current_facilities)"
TO_TENANTS = ["biotrakr_analyst", "biotrakr_app", "biotrakr_owner"]
# A confined user sees these whole: they are the organization's, or nothing in them has a place.
OF_THE_ORGANIZATION = {
    "registry.organization", "registry.tag", "registry.user_account", "registry.user_role",
    "registry.vendor", "registry.contract", "registry.manufacturer", "registry.device_type",
    "registry.device_model", "registry.alert_policy", "registry.funding_source",
    "registry.external_system", "maintenance.procedure", "maintenance.spare_part",
    "compliance.standard", "compliance.electrical_limit",
    "compliance.recall", "compliance.recall_scope",
    "compliance.training_requirement", "compliance.training", "finance.book",
    "finance.exchange_rate", "prediction.model", "prediction.drift", "audit.log", "audit.review",
}  # fmt: skip


def _policies(conn: Connection, table: str) -> dict[str, tuple[Any, ...]]:
    return {
        name: rest
        for name, *rest in conn.execute(
            """select policyname::text, permissive = 'PERMISSIVE', cmd,
                array(select r::text from unnest(roles) as r order by 1), qual, with_check
            from pg_policies where schemaname || '.' || tablename = %s""",
            (table,),
        )
    }


def test_every_protected_table_confines_tenants_to_their_organization(conn: Connection) -> None:
    tables = [name for _, name, enabled, _ in _tenant_tables(conn) if enabled]
    assert len(tables) > 70
    for table in [*tables, "registry.organization"]:
        found = _policies(conn, table)
        expected = ORGANIZATION
        if table == "registry.organization":
            expected = expected.replace("organization_id", "id")
        if table == "audit.log":  # only its trigger writes, for every organization
            assert found.pop("tenant") == [True, "ALL", TO_TENANTS[:2], expected, None]
            assert found.pop("writer") == [True, "ALL", ["biotrakr_owner"], "true", "true"]
        else:
            assert found.pop("tenant") == [True, "ALL", TO_TENANTS, expected, expected], table
        ingest = found.pop("ingest", [True, "ALL", ["biotrakr_ingest"], "true", "true"])
        assert ingest == [True, "ALL", ["biotrakr_ingest"], "true", "true"], table
        if table in OF_THE_ORGANIZATION:
            assert found == {}, table
            continue
        permissive, command, roles, using, check = found.pop("facility")
        assert (permissive, command, roles, check) == (False, "ALL", TO_TENANTS, None), table
        assert using.startswith(f"(({FACILITIES} IS NULL) OR "), f"{table}: {using}"
        assert found == {}, table


def test_every_view_of_tenants_filters_by_itself_or_by_its_reader(conn: Connection) -> None:
    seen = 0
    for oid, name, schema, kind, options, text in _rows(
        conn,
        f"""select c.oid, c.oid::regclass::text, n.nspname, c.relkind::text,
            coalesce(c.reloptions, '{{}}'), pg_get_viewdef(c.oid)
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm') and n.nspname in {OURS}""",
    ):
        row = conn.execute(
            "select bool_or(has_table_privilege(role, %s::oid, 'select')) "
            "from unnest(%s::text[]) as role",
            (oid, list(TENANTS)),
        ).fetchone()
        if row == (False,):
            continue
        seen += 1
        assert kind == "v", f"{name}: a materialized view holds what its maker saw"
        assert schema == "reporting", name
        if "security_invoker=true" in options:
            continue
        assert "security_barrier=true" in options, name
        assert re.search(
            r"organization(_id|\.id) = \( SELECT app\.current_org\(\) AS current_org\)", text
        ), name
    assert seen >= 9


OPERATORS_ONLY = {"v_platform_capabilities", "v_hypertable_health", "v_ingest_health"}


def test_every_view_of_reporting_is_granted_and_explained(conn: Connection) -> None:
    for name, granted, comment, carries in _rows(
        conn,
        """select c.oid::regclass::text, has_table_privilege('biotrakr_analyst', c.oid, 'select'),
            obj_description(c.oid), exists (
                select from pg_attribute as a
                where a.attrelid = c.oid and a.attname = 'organization_id')
        from pg_class as c where c.relnamespace = 'reporting'::regnamespace and relkind = 'v'""",
    ):
        assert comment, name
        if name.partition(".")[2] in OPERATORS_ONLY:
            assert not granted, name
            continue
        assert granted, name
        assert carries, name


def test_schemas_are_open_to_whom_they_should_be(conn: Connection) -> None:
    found = {
        role: {
            schema
            for (schema,) in conn.execute(
                f"select nspname from pg_namespace where nspname in {OURS} "
                "and has_schema_privilege(%s, oid, 'usage')".encode(),
                (role,),
            )
        }
        for role in EVERYBODY[:-1]
    }
    assert found == {
        "biotrakr_analyst": {"app", "reporting", *PROTECTED},
        "biotrakr_app": {"app", "reporting", *PROTECTED},
        "biotrakr_ingest": {"registry", "tracking", "telemetry", "pipeline"},
        "biotrakr_backup": set(SCHEMAS),
    }  # fmt: skip
    for role in EVERYBODY[:-1]:
        makers = conn.execute(
            f"select nspname from pg_namespace where nspname in {OURS} "
            "and has_schema_privilege(%s, oid, 'create')".encode(),
            (role,),
        ).fetchall()
        assert makers == [], role


def test_no_chunk_can_be_named(conn: Connection) -> None:
    chunks = _rows(conn, "select c::text from show_chunks('telemetry.location_history') as c")
    assert chunks
    assert all(name.startswith("chunks.") for (name,) in chunks)
    for role in (*TENANTS, "biotrakr_ingest"):
        assert conn.execute(
            "select has_schema_privilege(%s, 'chunks', 'usage')", (role,)
        ).fetchone() == (False,)


def test_definer_functions_fix_their_search_path(conn: Connection) -> None:
    rows = _rows(
        conn,
        f"""select p.oid::regprocedure::text, p.prosecdef,
            coalesce(array_to_string(p.proconfig, ','), '') like '%search_path=%'
                or (p.prosqlbody is not null and not p.prosecdef) -- parsed when it was made
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname in {OURS}""",
    )
    assert any(definer for _, definer, _ in rows)
    # These run what they are given, as whoever calls it: the owner at a migration.
    unfixed = [name for name, _, fixed in rows if not fixed]
    assert unfixed == [
        "ops.make_summary(text,text,text,interval,interval,interval)",
        "ops.try_feature(text,text)",
    ]


def test_no_function_of_ours_is_everybodys(conn: Connection) -> None:
    public = _rows(
        conn,
        f"""select p.oid::regprocedure::text
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname in {OURS}
            and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as g
                        where g.grantee = 0)""",
    )
    assert public == []


def test_foreign_keys_between_tenant_tables_hold_the_organization(conn: Connection) -> None:
    tenants = {oid for oid, *_ in _tenant_tables(conn)}
    seen = 0
    for name, table, target, columns in _rows(
        conn,
        """select k.conname, k.conrelid, k.confrelid, array(
            select a.attname::text from unnest(k.conkey) as n
            join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = n)
        from pg_constraint as k where k.contype = 'f'""",
    ):
        if table in tenants and target in tenants:
            seen += 1
            assert "organization_id" in columns, name
    assert seen > 30


def test_nothing_is_deleted_by_cascade(conn: Connection) -> None:
    assert (
        _rows(
            conn,
            f"""select conname from pg_constraint as k
        join pg_namespace as n on n.oid = k.connamespace
        where n.nspname in {OURS} and contype = 'f' and confdeltype <> 'a'""",
        )
        == []
    )


def test_unique_keys_start_with_the_organization_or_are_justified(conn: Connection) -> None:
    for table, index, columns in _rows(
        conn,
        f"""select c.oid::regclass::text, i.indexrelid::regclass::text, array(
            select a.attname::text from unnest(i.indkey::int[]) with ordinality as k (n, place)
            join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.n order by k.place)
        from pg_index as i join pg_class as c on c.oid = i.indrelid
        join pg_namespace as n on n.oid = c.relnamespace
        where i.indisunique and n.nspname in {OURS} and n.nspname <> 'chunks'
            and exists (select from pg_attribute as a
                        where a.attrelid = c.oid and a.attname = 'organization_id')""",
    ):
        name = index.partition(".")[2]
        surrogate = name.endswith("_pkey") and columns in (["id"], ["asset_id"], ["facility_id"])
        justified = name in JUSTIFIED.get(table, {})
        assert columns[0] == "organization_id" or surrogate or justified, f"{index}: {columns}"


@pytest.mark.parametrize("schema", ["registry", "tracking"])
def test_every_table_is_explained(conn: Connection, schema: str) -> None:
    silent = conn.execute(
        "select oid::regclass::text from pg_class "
        "where relnamespace = %s::regnamespace and relkind = 'r' and obj_description(oid) is null",
        (schema,),
    ).fetchall()
    assert silent == []


def test_no_filter_column_is_an_enum(conn: Connection) -> None:
    """Comparisons of enums are not leakproof: under row security they cannot use an index."""
    assert (
        _rows(
            conn,
            f"""select t.oid::regtype::text from pg_type as t
        join pg_namespace as n on n.oid = t.typnamespace
        where t.typtype = 'e' and n.nspname in {OURS}""",
        )
        == []
    )
