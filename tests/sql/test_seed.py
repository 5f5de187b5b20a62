"""The small form of the seed: it loads, is whole, has the odd cases, is always the same."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.database import connect
from pipeline.seed.errors import SeedError
from pipeline.seed.load import load

# What the clock of the database decides, not the seed.
CLOCKED = {"updated_at", "updated_by", "at", "hash", "applied_at", "checked_at", "client"}
BOOKS = {"ops.migration", "ops.capability", "ops.retention_policy", "pipeline.revision"}
EMPTY = {
    # of the running pipeline alone
    "pipeline.calibration", "pipeline.checkpoint", "pipeline.gateway_progress", "pipeline.late_batch", "pipeline.outbox",
    "pipeline.raw_batch", "pipeline.revision", "app.login_facility", "app.login_organization",
}  # fmt: skip


def tables(connection):
    found = connection.execute(
        "select schemaname || '.' || tablename from pg_tables "
        "where schemaname in ('registry', 'maintenance', 'compliance', 'finance', 'prediction', "
        "'tracking', 'telemetry', 'audit', 'pipeline', 'ops', 'app') order by 1"
    )
    return [name for (name,) in found if name not in BOOKS]


def digest(connection, table):
    """Of all rows, in any order, without what the clock decides."""
    rows = connection.execute(
        f"select (to_jsonb(t) - %s::text[])::text from {table} as t", (sorted(CLOCKED),)
    )
    lines = sorted(line for (line,) in rows)
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_an_analyst_sees_its_own_organization(seeded):
    for connection, own in ((seeded.a, seeded.meridian), (seeded.b, seeded.rheintal)):
        assert connection.execute("select code from registry.organization").fetchall() == [
            (own.code,)
        ]
        [(assets,)] = connection.execute("select count(*) from registry.asset").fetchall()
        assert assets == len(own.assets)


def test_become_sees_what_was_written(seeded):
    seeded.superuser.execute(
        "update registry.asset set name = 'changed' where id = %s", (seeded.meridian.assets[0].id,)
    )
    with seeded.become(seeded.meridian) as analyst:
        found = analyst.execute("select count(*) from registry.asset where name = 'changed'")
        assert found.fetchone() == (1,)
    with seeded.become(seeded.rheintal) as analyst:
        found = analyst.execute("select count(*) from registry.asset where name = 'changed'")
        assert found.fetchone() == (0,)


def test_every_table_has_rows_of_both_organizations(seeded):
    connection = seeded.superuser
    for table in tables(connection):
        [(rows,)] = connection.execute(f"select count(*) from {table}").fetchall()
        assert (rows == 0) == (table in EMPTY), table
        columns = connection.execute(
            "select 1 from information_schema.columns where column_name = 'organization_id' "
            "and table_schema || '.' || table_name = %s",
            (table,),
        ).fetchall()
        if rows and columns:
            found = connection.execute(f"select distinct organization_id from {table}").fetchall()
            assert len(found) == 2, table


def test_the_same_seed_gives_the_same_rows(server, seeded):
    with server.copy() as url, connect(url) as connection:
        load(connection, "test")
        for table in tables(connection):
            if table != "telemetry.location_history":
                assert digest(connection, table) == digest(seeded.superuser, table), table
        for one in (connection, seeded.superuser):
            # Too many for text: sums of all columns instead.
            one.execute("set local timezone = 'UTC'")
        query = """
            select count(*), sum(hashtextextended(asset_id::text || ts || room_id || reads, 0)),
                sum(x_m::numeric), sum(y_m::numeric), sum(z_m::numeric), sum(accuracy_m::numeric)
            from telemetry.location_history"""
        assert connection.execute(query).fetchone() == seeded.superuser.execute(query).fetchone()


def test_nothing_points_nowhere(seeded):
    """The big form is loaded without these checks, by the same code."""
    keys = seeded.superuser.execute(
        """select conrelid::regclass::text, confrelid::regclass::text,
            (select array_agg(attname::text order by i)
                from unnest(conkey) with ordinality as k (n, i)
                join pg_attribute on attrelid = conrelid and attnum = n),
            (select array_agg(attname::text order by i)
                from unnest(confkey) with ordinality as k (n, i)
                join pg_attribute on attrelid = confrelid and attnum = n)
        from pg_constraint where contype = 'f' and conparentid = 0
            and connamespace::regnamespace::text in ('registry', 'maintenance', 'compliance',
                'finance', 'prediction', 'tracking')"""
    ).fetchall()
    assert len(keys) > 100
    for child, parent, columns, targets in keys:
        on = " and ".join(f"p.{t} = c.{c}" for c, t in zip(columns, targets, strict=True))
        given = " and ".join(f"c.{column} is not null" for column in columns)
        [(orphans,)] = seeded.superuser.execute(
            f"select count(*) from {child} as c where {given} "
            f"and not exists (select from {parent} as p where {on})"
        ).fetchall()
        assert orphans == 0, (child, columns)


def one(connection, query, *parameters):
    return connection.execute(query, parameters).fetchone()[0]


@pytest.mark.parametrize(
    "what, query, least",
    [
        ("wrong check digits", "registry.asset where udi_check_ok = false", 2),
        ("no UDI", "registry.asset where udi_di is null", 3),
        ("no lot", "registry.asset where lot_number is null and udi_di is not null", 5),
        ("deleted", "registry.asset where deleted_at is not null", 2),
        ("another currency", "registry.asset where currency_code = 'EUR'", 1),
        ("confirmed failures", "maintenance.work_order where failure_confirmed", 150),
        ("no fault found", "maintenance.work_order where outcome = 'NO_FAULT_FOUND'", 30),
        ("user errors", "maintenance.work_order where outcome = 'USER_ERROR'", 20),
        ("open repairs", "maintenance.work_order where failed_at is not null "
         "and status in ('ASSIGNED', 'IN_PROGRESS', 'AWAITING_PARTS', 'ON_HOLD')", 5),
        ("not located", "maintenance.occurrence where outcome = 'NOT_LOCATED'", 20),
        ("in use", "maintenance.occurrence where outcome = 'IN_USE'", 20),
        ("late", "maintenance.occurrence where completed_on > grace_until", 50),
        ("overdue", "maintenance.occurrence where outcome = 'OPEN' and grace_until < '2026-06-30'",
         1),
        ("alternative programs", "maintenance.schedule where strategy = 'AEM'", 10),
        ("needs inspection", "compliance.recall_asset where assessment = 'NEEDS_INSPECTION'", 1),
        ("failed tests", "compliance.inspection where result = 'FAIL'", 5),
        ("checked out", "registry.assignment where kind = 'CHECKOUT' and upper_inf(during)", 1),
        ("under way", "registry.transfer where status = 'IN_TRANSIT'", 1),
        ("in forbidden rooms", "tracking.zone_visit", 100),
        ("by telemetry", "tracking.usage_session where method = 'telemetry'", 500),
        ("not heard", "tracking.usage_session where state = 'UNKNOWN'", 50),
        ("open alerts", "tracking.alert where state = 'open'", 1),
        ("failed after a score", "prediction.outcome where outcome = 'FAILED'", 30),
        ("censored scores", "prediction.outcome where outcome = 'CENSORED'", 1),
        ("changes on behalf", "audit.log where action = 'UPDATE' and user_id is not null", 5),
    ],
)  # fmt: skip
def test_the_odd_cases_are_there(seeded, what, query, least):
    assert one(seeded.superuser, f"select count(*) from {query}") >= least


def test_missing_assets(seeded):
    gone = one(
        seeded.superuser,
        "select count(*) from tracking.asset_location_current where last_seen_at < %s",
        seeded.as_of.replace(day=26),
    )
    assert 1 <= gone <= 30


def test_what_is_elsewhere(seeded):
    query = """select count(*) from tracking.asset_location_current as place
        join registry.asset on asset.id = place.asset_id
        where place.facility_id <> asset.facility_id"""
    assert one(seeded.superuser, query) >= 1


def test_nothing_lies_in_the_future(seeded):
    for table, column in (
        ("telemetry.location_history", "ts"),
        ("telemetry.sensor_reading", "ts"),
        ("telemetry.usage_log", "ts"),
        ("telemetry.prediction_score", "ts"),
        ("tracking.room_visit", "coalesce(left_at, entered_at)"),
        ("tracking.alert_event", "at"),
        ("maintenance.work_order", "coalesce(completed_at, reported_at)"),
        ("maintenance.labor", "worked_on"),
        ("compliance.training", "trained_on"),
    ):
        late = one(
            seeded.superuser, f"select count(*) from {table} where {column} > %s", seeded.as_of
        )
        assert late == 0, table


def test_scores_know_something(seeded):
    """Those of assets that failed are higher than those of the others."""
    failed, others = seeded.superuser.execute(
        "select avg(p_failure) filter (where outcome = 'FAILED'), "
        "avg(p_failure) filter (where outcome = 'NOT_FAILED') from prediction.outcome"
    ).fetchone()
    assert failed > 1.5 * others


def test_a_used_database_is_refused(seeded):
    with pytest.raises(SeedError, match="there already"), connect(seeded.url) as connection:
        load(connection, "test")
    with connect(seeded.url) as connection:
        connection.execute("set role biotrakr_app")
        with pytest.raises(SeedError, match="superuser"):
            load(connection, "test")
