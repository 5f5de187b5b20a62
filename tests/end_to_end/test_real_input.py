"""A recorded run through agent, broker, dataflow and database, read back from the SQL view."""

from __future__ import annotations

import time
from pathlib import Path

import flat_data
import numpy as np
import psycopg

from pipeline.cli.stack import Stack
from pipeline.contracts.reads import to_us


def test_robot_in_a_flat(tmp_path: Path) -> None:
    """Median at most 1.9 m and below every control, at every recorded place, causally: what a
    user would have read from the view at that moment."""
    flat_data.require_data()
    rows = flat_data.read_rows("test_robot_df.csv")
    site, adverts = flat_data.site(), tmp_path / "adverts.jsonl"
    flat_data.write_adverts(rows, adverts)
    config = tmp_path / "pipeline.toml"
    config.write_text(f"[policy]\ntag_height_m = {flat_data.TAG_HEIGHT_M}\n")
    with Stack(tmp_path / "run") as stack:
        stack.prepare(site)
        stack.start_pipeline(config)
        reader = f'[[readers]]\nname = "adverts"\nkind = "replay"\npath = "{adverts}"\n'
        stack.start_agent(site, site.buildings[0].gateways[0], reader)
        fixes = _wait_for_fixes(stack, int(rows.ts_us[-1]))
    error_m, inside = _errors_m(rows, fixes)
    controls = flat_data.control_errors_m(rows)
    report = {"biotrakr": error_m} | controls
    for name, errors in report.items():
        print(f"{name:20} {np.median(errors):.2f} / {np.percentile(errors, 90):.2f} m")
    print(f"truth within accuracy_m: {inside:.1%} of {len(error_m)} fixes")
    assert len(error_m) > 700
    assert np.median(error_m) <= 1.9
    for name, errors in controls.items():
        assert np.median(error_m) < np.median(errors), name
        assert np.percentile(error_m, 90) < np.percentile(errors, 90), name


def _wait_for_fixes(stack: Stack, end_us: int) -> np.ndarray:
    """(N, 4): ts in us, x, y, accuracy, as an application of the organization sees them."""
    deadline = time.monotonic() + 60
    with stack.connect() as operator, stack.connect() as connection:
        _become_tenant(connection)
        while time.monotonic() < deadline:
            done = operator.execute("select max(window_end) from pipeline.progress").fetchone()
            if done and done[0] is not None and to_us(done[0]) >= end_us - 2_000_000:
                found = connection.execute(
                    "select ts, x_m, y_m, accuracy_m from reporting.location_history order by ts"
                ).fetchall()
                return np.array([[to_us(ts), x, y, accuracy] for ts, x, y, accuracy in found])
            time.sleep(0.2)
    raise AssertionError("\n".join(child.last_words() for child in stack.children.values()))


def _become_tenant(connection: psycopg.Connection) -> None:
    row = connection.execute("select id from registry.organization").fetchone()
    assert row is not None
    connection.execute("select set_config('app.org_id', %s, false)", (str(row[0]),))
    connection.execute("set role biotrakr_app")


def _errors_m(rows: flat_data.Rows, fixes: np.ndarray) -> tuple[np.ndarray, float]:
    """Error of the newest fix at each recorded place, once there is one; share within accuracy."""
    newest = np.searchsorted(fixes[:, 0], rows.ts_us, side="right") - 1
    known = newest >= 0
    fix = fixes[newest[known]]
    error_m = np.linalg.norm(fix[:, 1:3] - rows.xy[known], axis=1)
    return error_m, float((error_m <= fix[:, 3]).mean())
