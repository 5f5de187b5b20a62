"""Calibrations in the database: versioned, with their quality; an accepted one takes effect."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import psycopg

from pipeline.domain.calibration import Calibration, Quality
from pipeline.domain.floorplan import Building

Connection: TypeAlias = psycopg.Connection[Any]

_KEEP = """
insert into pipeline.calibration (
    receiver_id, version, source, accepted, reason,
    p0_dbm, path_loss_exponent, sigma_db,
    previous_p0_dbm, previous_path_loss_exponent, previous_sigma_db,
    reads, on_bound, held_out_db, present_db, unseen_db)
select %(receiver)s,
    1 + coalesce((select max(version) from pipeline.calibration
        where receiver_id = %(receiver)s), 0),
    %(source)s, %(accepted)s, %(reason)s, %(p0)s, %(exponent)s, %(sigma)s,
    p0_dbm, path_loss_exponent, sigma_db,
    %(reads)s, %(on_bound)s, %(held_out)s, %(present)s, %(unseen)s
from registry.receiver where id = %(receiver)s and organization_id = %(organization)s
"""
_APPLY = """
update registry.receiver
set p0_dbm = %(p0)s, path_loss_exponent = %(exponent)s, sigma_db = %(sigma)s
where id = %(receiver)s and organization_id = %(organization)s
"""


def keep(
    conn: Connection, building: Building, found: Calibration, quality: Quality, source: str
) -> int:
    """Record the calibration of every receiver that was heard; an accepted one replaces the values
    in force, which a running dataflow then takes up by itself. Returns the number of receivers."""
    rows = [
        {
            "organization": building.ids["organization"],
            "receiver": building.receivers.ids[r],
            "source": source,
            "accepted": quality.accepted,
            "reason": quality.reason,
            "p0": float(found.p0_dbm[r]),
            "exponent": float(found.exponent[r]),
            "sigma": float(found.sigma_db[r]),
            "reads": int(quality.rows[r]),
            "on_bound": bool(quality.on_bound[r]),
            "held_out": _number(quality.held_out_db),
            "present": _number(quality.present_db),
            "unseen": _number(float(quality.unseen_db[r])),
        }
        for r in np.flatnonzero(quality.rows > 0).tolist()
    ]
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute(
            "select set_config('app.org_id', %s, true)", (str(building.ids["organization"]),)
        )
        # Two calibrations at a time would count the same version.
        cursor.execute("lock table pipeline.calibration in share row exclusive mode")
        cursor.executemany(_KEEP, rows)
        if quality.accepted:
            cursor.executemany(_APPLY, rows)
    return len(rows)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
