"""What an edition lacks and what is wrong with a database: one check a function, each says what to
do. Read only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.database.audit import verify_newest
from pipeline.database.connect import Connection, connect
from pipeline.database.status import Status, status

EXTENSIONS = ("timescaledb", "btree_gist", "pg_trgm", "unaccent", "pgcrypto")
ROLES = (
    "biotrakr_owner", "biotrakr_ingest", "biotrakr_backfill", "biotrakr_analyst", "biotrakr_app",
    "biotrakr_backup",
)  # fmt: skip
PROTECTED = ["registry", "tracking", "maintenance", "compliance", "finance", "prediction"]
# Written by the dataflow or a job all the time; their history is elsewhere or of no use.
UNAUDITED = (
    "tracking.asset_location_current", "tracking.room_visit", "tracking.zone_visit",
    "tracking.usage_session", "tracking.alert", "tracking.alert_event",
    "registry.facility_revision", "registry.asset_metric", "prediction.risk_current",
)  # fmt: skip
RETENTION_RUNS_WITHIN_H = 24


@dataclass(frozen=True)
class Finding:
    """`lacks`: the edition has no such thing, and that is no fault. `wrong`: do something."""

    verdict: Literal["fine", "lacks", "wrong"]
    subject: str
    text: str


def examine(url: str) -> list[Finding]:
    """Raises ConnectionFailed, SqlFileError."""
    found = status(url)
    findings = list(_migrations(found))
    if found.server is None:
        return findings
    with connect(url, application_name="biotrakr doctor") as connection:
        findings += _extensions(connection)
        findings += _roles(connection)
        if not found.is_current:
            return findings  # the rest asks for what a migration may still have to bring
        findings += _capabilities(found)
        for check in CHECKS:
            findings += check(connection)
    return findings


def _migrations(found: Status) -> Iterator[Finding]:
    if found.server is None:
        yield Finding("wrong", "server", "TimescaleDB is not in this database: biotrakr migrate")
        return
    yield Finding("fine", "server", str(found.server))
    waiting = [file for file in found.files if file.state not in ("applied", "left out")]
    for file in waiting:
        advice = {
            "pending": "not applied: biotrakr migrate",
            "changed": "changed since it was applied"
            + ("" if file.kind == "migration" else ": biotrakr migrate"),
            "no file": "applied by a newer program than this one",
        }[file.state]
        yield Finding("wrong", file.path, advice)
    if not waiting:
        yield Finding("fine", "schema", "is that of this program")


def _extensions(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute("select extname::text, extversion from pg_extension")
    there: dict[str, str] = dict(rows.fetchall())
    for name in EXTENSIONS:
        if name in there:
            yield Finding("fine", f"extension {name}", there[name])
        else:
            yield Finding("wrong", f"extension {name}", f"missing: create extension {name}")


def _roles(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute("select rolname::text, rolbypassrls or rolsuper from pg_roles")
    there: dict[str, bool] = dict(rows.fetchall())
    for name in ROLES:
        if name not in there:
            yield Finding("wrong", f"role {name}", "missing: biotrakr migrate")
        elif name == "biotrakr_backup" and not there[name]:
            yield Finding("wrong", f"role {name}", f"sees no rows: alter role {name} bypassrls")
        elif name != "biotrakr_backup" and there[name]:
            yield Finding(
                "wrong", f"role {name}",
                f"passes by row security: alter role {name} nosuperuser nobypassrls",
            )  # fmt: skip


def _capabilities(found: Status) -> Iterator[Finding]:
    for one in found.capabilities:
        verdict: Literal["fine", "lacks"] = "fine" if one.available else "lacks"
        yield Finding(verdict, one.name, one.detail)


def _retention(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "select relation, keep::text, coalesce(last_outcome, ''), "
        "coalesce(last_run_at, (select max(applied_at) from ops.migration)) "
        "> now() - make_interval(hours => %s) from ops.retention_policy order by 1",
        (RETENTION_RUNS_WITHIN_H,),
    )
    for relation, keep, outcome, recent in rows:
        subject = f"retention of {relation}"
        if outcome.startswith("failed"):
            yield Finding("wrong", subject, outcome)
        elif not recent:
            yield Finding(
                "wrong", subject,
                f"has not run for {RETENTION_RUNS_WITHIN_H} h: is biotrakr run running?",
            )  # fmt: skip
        elif outcome.startswith("kept"):
            yield Finding("lacks", subject, outcome)
        else:
            yield Finding("fine", subject, f"keeps {keep}")


def _isolation(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        """select c.oid::regclass::text from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname = any (%s)
            and not (c.relrowsecurity and c.relforcerowsecurity) order by 1""",
        (PROTECTED,),
    ).fetchall()
    for (table,) in rows:
        yield Finding(
            "wrong", table, f"row security is off: alter table {table} enable row level security, "
            "force row level security",
        )  # fmt: skip
    if not rows:
        yield Finding("fine", "isolation", "row security is on in every table of tenants")


def _audit_triggers(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        """select c.oid::regclass::text from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname = any (%s)
            and c.oid::regclass::text <> all (%s)
            and not exists (
                select from pg_trigger as t
                where t.tgrelid = c.oid and t.tgfoid = to_regprocedure('audit.record()')
                    and t.tgenabled in ('O', 'A'))
        order by 1""",
        (PROTECTED, list(UNAUDITED)),
    ).fetchall()
    for (table,) in rows:
        yield Finding("wrong", table, "is not audited: its trigger audit is missing or disabled")
    if not rows:
        yield Finding("fine", "audit", "every table of tenants is audited")


def _audit_chain(connection: Connection) -> Iterator[Finding]:
    """The newest rows only: `biotrakr audit verify` reads all of them."""
    for chain in verify_newest(connection):
        subject = f"audit trail of {chain.organization}"
        if chain.problems:
            first = chain.problems[0]
            yield Finding(
                "wrong", subject,
                f"{first.where}: {first.problem} (all: biotrakr audit verify)",
            )  # fmt: skip
        else:
            yield Finding("fine", subject, f"{chain.rows} rows; the newest are whole")


def _indexes(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "select indexrelid::regclass::text from pg_index where not indisvalid order by 1"
    )
    for (index,) in rows:
        yield Finding("wrong", index, f"is invalid: reindex index concurrently {index}")


def _jobs(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "select j.job_id, j.proc_name, j.hypertable_name, s.total_failures "
        "from timescaledb_information.jobs as j "
        "join timescaledb_information.job_stats as s on s.job_id = j.job_id "
        "where j.scheduled and s.last_run_status = 'Failed' order by 1"
    )
    for job, name, table, failures in rows:
        yield Finding(
            "wrong", f"job {job}", f"{name} of {table or 'nothing'} failed {failures} time(s): see "
            "timescaledb_information.job_errors",
        )  # fmt: skip


CHECKS: tuple[Callable[[Connection], Iterator[Finding]], ...] = (
    _retention, _isolation, _audit_triggers, _audit_chain, _indexes, _jobs,
)  # fmt: skip
