"""One row in every table of a tenant that neither the site file nor the dataflow fills.

Only what is its own stands here: foreign keys are read from the catalogue and point at the same
organization's row of the other table. A new table without an entry fails test_rows.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from pipeline.database.connect import Connection

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)

# In the order in which they can be filled. None: leave this foreign key empty.
ROWS: dict[str, dict[str, Any]] = {
    "registry.department": {"code": "ICU", "name": "Intensive care", "parent_id": None,
                            "manager_id": None},
    "registry.user_account": {"username": "kim", "display_name": "Kim", "job": "TECHNICIAN"},
    "registry.user_role": {"role": "BIOMEDICAL"},
    "registry.vendor": {"code": "V1", "name": "Vendor", "type": "DISTRIBUTOR"},
    "registry.contract": {"number": "C-1", "kind": "AMC", "starts_on": DAY,
                          "ends_on": date(2027, 3, 1), "annual_cost": 1200,
                          "currency_code": "EUR", "service_level": "FOUR_HOURS"},
    "registry.contract_asset": {},
    "registry.manufacturer": {"name": "Acme Médical"},
    "registry.device_type": {"code": "pump", "name": "Infusion pump", "category": "THERAPEUTIC"},
    "registry.device_model": {"model_number": "IP-100", "risk_class": "CLASS_II"},
    "registry.alert_policy": {"name": "default", "is_default": True},
    "registry.funding_source": {"name": "Donation 2020", "kind": "DONATION"},
    "registry.asset_identifier": {"scheme": "BARCODE", "value": "4711"},
    "registry.asset_relation": {"kind": "ACCESSORY"},
    "registry.media": {"kind": "PHOTO", "url": "https://example.org/p.jpg",
                       "device_model_id": None},
    "registry.asset_metric": {"computed_at": NOON, "total_usage_hours": 12},
    "registry.threshold": {"name": "location_stale_s", "value": 300, "unit": "s"},
    "registry.par_level": {"par_min": 1, "par_max": 3},
    "registry.assignment": {"kind": "CUSTODY", "during": "[2026-03-01 00:00+00,)"},
    "registry.transfer": {},
    "maintenance.procedure": {"code": "PM-1", "name": "Yearly", "kind": "PM", "interval_days": 365},
    "maintenance.schedule": {"interval_days": 365, "starts_on": DAY},
    "maintenance.spare_part": {"part_number": "B-1", "name": "Battery"},
    "maintenance.part_stock": {"quantity": 3},
    "maintenance.work_order": {"number": "WO-1", "type": "CORRECTIVE_MAINTENANCE",
                               "title": "Alarm", "reported_at": NOON},
    "maintenance.occurrence": {"due_on": DAY, "grace_until": date(2026, 3, 31)},
    "maintenance.labor": {"worked_on": DAY, "hours": 1.5},
    "maintenance.work_order_part": {"quantity": 1, "unit_cost": 30, "currency_code": "EUR",
                                    "used_on": DAY},
    "maintenance.calibration": {"performed_on": DAY, "result": "PASS", "reference_standard": "N-1"},
    "maintenance.decontamination": {"performed_at": NOON, "method": "CLEANING"},
    "compliance.standard": {"code": "IEC 62353", "edition": "2014", "title": "Recurrent test",
                            "effective_from": date(2014, 9, 1)},
    "compliance.electrical_limit": {"test": "EARTH_RESISTANCE", "limit_value": 300,
                                    "unit": "mOhm"},
    "compliance.inspection": {"kind": "ELECTRICAL_SAFETY", "performed_on": DAY, "result": "PASS"},
    "compliance.measurement": {"test": "EARTH_RESISTANCE", "value": 120, "unit": "mOhm",
                               "limit_value": 300, "pass": True},
    "compliance.recall": {"agency": "FDA", "number": "Z-1", "recall_class": "CLASS_I",
                          "title": "Battery", "manufacturer": "Acme Médical", "published_on": DAY},
    "compliance.recall_scope": {"model_number": "IP-100"},
    "compliance.recall_asset": {"match_basis": "MODEL", "assessment": "AFFECTED"},
    "compliance.incident": {"number": "I-1", "occurred_at": NOON, "reported_at": NOON,
                            "harm": "NONE", "description": "It fell"},
    "compliance.incident_device": {},
    "compliance.certificate": {"kind": "CE", "number": "CE-1", "issuer": "TÜV", "issued_on": DAY,
                               "device_model_id": None, "vendor_id": None, "user_id": None,
                               "facility_id": None},
    "compliance.training_requirement": {},
    "compliance.training": {"trained_on": DAY},
    "finance.book": {"code": "GAAP", "name": "Statutory", "is_primary": True,
                     "currency_code": "EUR"},
    "finance.depreciation": {"method": "STRAIGHT_LINE", "cost": 5000, "life_years": 5},
    "finance.production": {"month": date(2026, 3, 1), "units": 10},
    "finance.cost_event": {"kind": "ENERGY", "amount": 10, "currency_code": "EUR",
                           "occurred_on": DAY},
    "finance.benefit": {"kind": "SAVING", "amount": 10, "currency_code": "EUR",
                        "period_start": DAY, "period_end": DAY},
    "finance.rental": {"starts_on": DAY, "daily_rate": 20, "currency_code": "EUR"},
    "finance.disposal": {"disposed_on": DAY, "method": "SOLD", "currency_code": "EUR"},
    "finance.exchange_rate": {"from_currency": "EUR", "to_currency": "USD", "valid_from": DAY,
                              "rate": 1.1},
    "registry.sensor": {"code": "t1", "quantity": 1},
    "prediction.model": {"name": "weibull", "model_version": "1", "algorithm": "weibull-aft",
                         "horizon_h": 720},
    "prediction.risk_current": {"horizon_h": 720, "scored_at": NOON, "as_of": NOON,
                                "p_failure": 0.1},
    "prediction.outcome": {"horizon_h": 720, "as_of": NOON, "p_failure": 0.1,
                           "outcome": "NOT_FAILED", "settled_at": NOON},
    "prediction.drift": {"measured_at": NOON, "feature": "age", "psi": 0.02, "verdict": "STABLE"},
    "audit.review": {"from_at": NOON, "until_at": datetime(2026, 3, 3, tzinfo=UTC),
                     "finding": "nothing"},
    "registry.external_system": {"code": "cmms", "kind": "CMMS", "name": "CMMS"},
    "registry.external_sync": {"external_id": "77"},
}  # fmt: skip

FOREIGN_KEYS = """
    select distinct on (own.attname)
        own.attname::text, k.confrelid::regclass::text
    from pg_constraint as k
    cross join lateral unnest(k.conkey) as column_number
    join pg_attribute as own on own.attrelid = k.conrelid and own.attnum = column_number
    where k.contype = 'f' and k.conrelid = %s::regclass and own.attname <> 'organization_id'
        and k.confrelid <> 'telemetry.quantity'::regclass
"""


def fill(conn: Connection, org: Any) -> None:
    """One row of every table in ROWS for the organization, whose site is loaded."""
    known: dict[str, UUID] = {
        "registry.facility": org.facility, "registry.building": org.building,
        "registry.floor": org.floor, "registry.room": org.room, "registry.zone": org.zone,
        "registry.asset": org.asset(), "registry.rule": org.rule,
    }  # fmt: skip
    for table, values in ROWS.items():
        known[table] = org.event(table)
        row = {"id": org.event(table), "organization_id": org.id}
        for column, target in conn.execute(FOREIGN_KEYS, (table,)).fetchall():
            if column not in values:
                row[column] = known.get(target, org.id)
        if table == "registry.asset_relation":
            row["other_id"] = org.asset("P-2")
        row |= {name: Jsonb(v) if isinstance(v, dict | list) else v for name, v in values.items()}
        marks = ", ".join(["%s"] * len(row))
        conn.execute(
            f"insert into {table} ({', '.join(row)}) values ({marks})".encode(), list(row.values())
        )
    conn.execute(
        "insert into telemetry.sensor_reading values (%s, %s, %s, 1, %s, 21.5)",
        (org.id, org.asset(), org.event("registry.sensor"), NOON),
    )
    conn.execute(
        "insert into telemetry.usage_log values (%s, %s, %s, true, 12, 3)",
        (org.id, org.asset(), NOON),
    )
    conn.execute(
        "insert into telemetry.prediction_score (organization_id, asset_id, model_id, horizon_h, "
        "ts, as_of, p_failure) values (%s, %s, %s, 720, %s, %s, 0.1)",
        (org.id, org.asset(), org.event("prediction.model"), NOON, NOON),
    )
