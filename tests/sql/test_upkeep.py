"""What the daily job plans and computes, by hand-made cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from pipeline.cli.main import main
from pipeline.database.connect import Connection

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def app(conn: Connection, acme: Any, become: Any) -> Any:
    """`with app():` the application for acme; what it does stays until the test ends."""

    @contextmanager
    def take() -> Iterator[None]:
        with conn.transaction():
            conn.execute("select set_config('app.org_id', %s, true)", (str(acme.id),))
            conn.execute("set local role biotrakr_app")
            yield
            conn.execute("reset role")
            conn.execute("select set_config('app.org_id', '', true)")

    return take


def _row(conn: Connection, query: str, *values: Any) -> Any:
    return conn.execute(query.encode(), values).fetchone()


@pytest.fixture
def plan(conn: Connection, app: Any) -> Any:
    def run(day: date) -> tuple[int, int]:
        noon = datetime.combine(day, time(12), UTC)
        with app():
            return _row(conn, "select * from maintenance.plan(%s)", noon)

    return run


OCCURRENCES = (
    "select due_on, grace_until, outcome, completed_on, work_order_id is not null "
    "from maintenance.occurrence where organization_id = %s order by due_on"
)


def test_what_is_due_gets_an_occurrence_and_a_work_order(
    conn: Connection, acme: Any, plan: Any, app: Any
) -> None:
    """Yearly from 2 March 2026, warned of two weeks before; grace to the end of the month."""
    conn.execute("delete from maintenance.occurrence")
    assert plan(date(2026, 2, 15)) == (0, 0)
    assert plan(date(2026, 2, 16)) == (1, 1)
    assert plan(date(2026, 2, 17)) == (0, 0), "once"
    due, end = date(2026, 3, 2), date(2026, 3, 31)
    assert conn.execute(OCCURRENCES, (acme.id,)).fetchall() == [(due, end, "OPEN", None, True)]
    order = _row(
        conn,
        "select w.type, w.status, w.title, w.scheduled_for, w.number like 'PM-20260302-%%' "
        "from maintenance.work_order as w join maintenance.occurrence as o "
        "on o.work_order_id = w.id where o.organization_id = %s",
        acme.id,
    )
    assert order == ("PREVENTIVE_MAINTENANCE", "PENDING", "Yearly", due, True)

    with app():  # done on the evening of the 5th
        conn.execute(
            "update maintenance.work_order set status = 'COMPLETED', completed_at = %s "
            "where number like 'PM-%%'",
            (datetime(2026, 3, 5, 19, tzinfo=UTC),),
        )
    done = (due, end, "COMPLETED", date(2026, 3, 5), True)
    assert conn.execute(OCCURRENCES, (acme.id,)).fetchall() == [done]
    assert plan(date(2027, 2, 1)) == (0, 0)
    assert plan(date(2027, 2, 25)) == (1, 1), "a year after it was done"


@pytest.mark.parametrize(
    ("outcome", "settled"),
    [("NOT_LOCATED", "NOT_LOCATED"), ("IN_USE", "IN_USE"), ("REFUSED", "MISSED")],
)
def test_what_was_not_done_is_no_completion(
    conn: Connection, acme: Any, plan: Any, app: Any, outcome: str, settled: str
) -> None:
    conn.execute("delete from maintenance.occurrence")
    plan(date(2026, 2, 20))
    with app():
        conn.execute(
            "update maintenance.work_order set status = 'COMPLETED', completed_at = %s, "
            "outcome = %s where number like 'PM-%%'",
            (NOON, outcome),
        )
    assert conn.execute(OCCURRENCES, (acme.id,)).fetchall()[0][2:4] == (settled, None)


def test_who_wants_no_automatic_orders_gets_none(conn: Connection, acme: Any, plan: Any) -> None:
    conn.execute("delete from maintenance.occurrence")
    conn.execute("update registry.asset set auto_work_orders = false")
    assert plan(date(2026, 2, 20)) == (1, 0)


def test_a_received_transfer_makes_it_theirs(conn: Connection, acme: Any, app: Any) -> None:
    conn.execute(
        "insert into registry.facility (id, organization_id, code, name) "
        "values (%s, %s, 'south', 'South')",
        (acme.event("south"), acme.id),
    )
    owner = "select facility_id from registry.asset where id = %s"
    with app():
        conn.execute("update registry.transfer set to_facility_id = %s", (acme.event("south"),))
        conn.execute("update registry.transfer set status = 'IN_TRANSIT'")
    assert _row(conn, owner, acme.asset()) == (acme.facility,)
    with app():
        conn.execute("update registry.transfer set status = 'RECEIVED', received_at = now()")
    assert _row(conn, owner, acme.asset()) == (acme.event("south"),)


def test_figures_of_an_asset(conn: Connection, acme: Any, globex: Any, app: Any) -> None:
    """By hand: at noon of 12 March, presence is the best evidence; motion is not mixed in."""
    conn.execute("delete from tracking.usage_session where organization_id = %s", (acme.id,))
    for method, state, start, hours in (
        ("presence", "IN_USE", NOON, 2.0), ("presence", "AVAILABLE", NOON, 6.0),
        ("presence", "IN_USE", NOON - timedelta(days=60), 3.0), ("motion", "IN_USE", NOON, 100.0),
    ):  # fmt: skip
        conn.execute(
            "insert into tracking.usage_session (id, organization_id, facility_id, asset_id, "
            "state, method, started_at, ended_at) "
            "values (gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s)",
            (acme.id, acme.facility, acme.asset(), state, method, start,
             start + timedelta(hours=hours)),
        )  # fmt: skip
    conn.execute(
        "update maintenance.work_order set failure_confirmed = true, failed_at = %s, "
        "restored_at = %s where organization_id = %s",
        (NOON, NOON + timedelta(hours=20), acme.id),
    )
    conn.execute(
        "update registry.asset set in_service_on = '2026-03-02', purchase_cost = 5000, "
        "currency_code = 'EUR' where id = %s",
        (acme.asset(),),
    )
    conn.execute("update registry.asset_metric set total_usage_hours = 1")
    with app():
        assert _row(conn, "select registry.refresh_metrics(%s)", NOON + timedelta(days=10)) == (3,)
    assert _row(
        conn,
        "select total_usage_hours, total_usage_cycles, utilization_rate_percent, "
        "utilization_method, idle_time_hours_last_30_days, last_used_at, average_session_minutes, "
        "failure_count, last_failure_on, mttr_hours, downtime_hours, computed_at "
        "from registry.asset_metric where asset_id = %s",
        acme.asset(),
    ) == (
        Decimal("12.00"), 3, Decimal("25.00"), "presence", Decimal("6.00"),
        NOON + timedelta(hours=2), Decimal("150.00"), 1, date(2026, 3, 2), Decimal("20.00"),
        Decimal("20.00"), NOON + timedelta(days=10),
    )  # fmt: skip
    money = _row(
        conn,
        "select metric.current_book_value = worth.book_value, "
        "metric.total_cost_of_ownership is not distinct from owned.tco "
        "from registry.asset_metric as metric "
        "join reporting.f_v_depreciation(%s) as worth "
        "on worth.asset_id = metric.asset_id and worth.is_primary "
        "left join reporting.f_v_tco(%s) as owned on owned.asset_id = metric.asset_id "
        "and owned.currency = 'EUR' where metric.asset_id = %s",
        NOON + timedelta(days=10), NOON + timedelta(days=10), acme.asset(),
    )  # fmt: skip
    assert money == (True, True)
    assert _row(
        conn, "select total_usage_hours from registry.asset_metric where asset_id = %s",
        globex.asset(),
    ) == (1,), "another organization's figures are its own affair"  # fmt: skip


def test_the_command_does_it_for_every_organization(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["upkeep", "--database-url", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["acme", "globex"]
    assert lines[0].endswith("figures of 3 assets")
    assert main(["upkeep", "--database-url", url]) == 0
    assert "0 due, 0 work orders opened" in capsys.readouterr().out.splitlines()[0]


# Rules of the schema


@pytest.fixture
def refused(conn: Connection) -> Any:
    def run(statement: str, *values: Any) -> str:
        with pytest.raises(psycopg.errors.CheckViolation) as caught, conn.transaction():
            conn.execute(statement.encode(), values)
        return str(caught.value.diag.constraint_name)

    return run


AEM = (
    "update maintenance.schedule set strategy = 'AEM', aem_assessor_id = (select id from "
    "registry.user_account where organization_id = schedule.organization_id limit 1), "
    "aem_assessed_on = '2026-01-01', aem_rationale = 'ten years without a failure', "
    "aem_review_due_on = '2027-01-01' where organization_id = %s"
)


def test_an_alternative_program_needs_its_reasons(refused: Any, acme: Any) -> None:
    assert refused(
        "update maintenance.schedule set strategy = 'AEM' where organization_id = %s", acme.id
    ) == "schedule_of_ones_own_is_reasoned"  # fmt: skip


@pytest.mark.parametrize(
    "made_so",
    [
        "update registry.asset set category = 'IMAGING' where organization_id = %s",
        "update registry.device_type set category = 'IMAGING' where organization_id = %s",
        "update registry.device_type set is_laser = true where organization_id = %s",
    ],
)
def test_no_alternative_program_for_imaging_and_lasers(
    conn: Connection, refused: Any, acme: Any, made_so: str
) -> None:
    conn.execute(
        "update registry.asset set device_model_id = %s where id = %s",
        (acme.event("registry.device_model"), acme.asset()),
    )
    with conn.transaction(force_rollback=True):
        conn.execute(made_so.encode(), (acme.id,))
        assert refused(AEM, acme.id) == "schedule_aem_is_allowed"
    conn.execute(AEM.encode(), (acme.id,))
    assert refused(made_so, acme.id) == "schedule_aem_is_allowed", "nor from the other end"


@pytest.mark.parametrize(
    ("change", "good", "bad"),
    [
        ("registry.device_model set fda_510k_number", ["K123456", "BK123456"],
         ["K12345", "X123456", "k123456", "K1234567"]),
        ("registry.device_model set fda_pma_number", ["P123456", "P123456/S001"], ["P12345"]),
        ("registry.device_model set fda_de_novo_number", ["DEN123456"], ["DEN12"]),
        ("registry.device_type set emdn_code", ["A01", "Z1201020304"], ["A01AA01", "A1", "01"]),
        ("registry.device_type set gmdn_code", ["13215"], ["1321", "A3215"]),
        ("registry.device_type set fda_product_code", ["FRN"], ["FR", "frn"]),
        ("registry.asset set udi_issuer = 'GS1', udi_di", ["10888857001265", "00643169001763"],
         ["1088885700126", "(01)10888857001265"]),
        ("registry.asset set udi_issuer = 'HIBCC', udi_di", ["+A123BJC5D6E71G", "A999"], [""]),
        ("registry.asset set currency_code", ["EUR"], ["eur", "EURO"]),
        ("registry.asset set criticality", ["CRITICAL", "LOW"], ["SOME", "low"]),
        ("registry.contract set service_level", ["NEXT_DAY"], ["SOON"]),
    ],
)  # fmt: skip
def test_forms_of_numbers(
    conn: Connection, refused: Any, change: str, good: list[str], bad: list[str]
) -> None:
    """A GTIN with a wrong check digit (10888857001265) is stored: that is a flag, no refusal."""
    for value in good:
        with conn.transaction(force_rollback=True):
            assert conn.execute(f"update {change} = %s".encode(), (value,)).rowcount > 0
    for value in bad:
        assert refused(f"update {change} = %s", value)


def test_confidential_columns_take_what_pgcrypto_makes(conn: Connection) -> None:
    """Those whose comment says so: personal data, tax and bank numbers, what happened."""
    for column in (
        "registry.user_account.email", "registry.user_account.phone", "registry.vendor.tax_number",
        "registry.vendor.bank_account", "compliance.incident.description",
    ):  # fmt: skip
        table, _, name = column.rpartition(".")
        seal = f"update {table} set {name} = armor(pgp_sym_encrypt('a@b.c', 'key'))"
        assert conn.execute(seal.encode()).rowcount == 2, column
        read = f"select distinct pgp_sym_decrypt(dearmor({name}), 'key') from {table}"
        assert conn.execute(read.encode()).fetchall() == [("a@b.c",)], column


def test_custody_does_not_overlap(conn: Connection, acme: Any) -> None:
    new = (
        "insert into registry.assignment (organization_id, asset_id, kind, user_id, during) "
        "values (%s, %s, %s, %s, %s)"
    )
    values = (acme.id, acme.asset(), "CUSTODY", acme.event("registry.user_account"))
    with pytest.raises(psycopg.errors.ExclusionViolation), conn.transaction():
        conn.execute(new, (*values, "[2026-03-05 00:00+00,2026-03-06 00:00+00)"))
    conn.execute(new, (*values, "[2026-02-01 00:00+00,2026-03-01 00:00+00)"))
    checkout = (*values[:2], "CHECKOUT", values[3], "[2026-03-05 00:00+00,)")
    conn.execute(new, checkout)


def test_there_are_enough_of_each(conn: Connection) -> None:
    """30 tables, 15 value sets, 50 indexes, and more."""
    counts = _row(
        conn,
        "select count(*) filter (where relkind = 'r'), count(*) filter (where relkind = 'i') "
        "from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname in ('registry', 'maintenance', 'compliance', 'finance', 'prediction', "
        "'audit', 'tracking', 'telemetry', 'pipeline', 'app')",
    )
    assert counts[0] > 80
    assert counts[1] > 250
    domains = _row(
        conn,
        "select count(*) from pg_type where typtype = 'd' and typnamespace = 'app'::regnamespace",
    )
    assert domains[0] >= 15
