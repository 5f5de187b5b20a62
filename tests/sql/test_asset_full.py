"""reporting.asset_full answers each of the 156 fields by its name, and from the right place."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import one_row
import psycopg
import pytest
from psycopg.rows import dict_row

from pipeline.database.connect import Connection

REQUIREMENTS = Path(__file__).parents[3] / "shared/domain/REQUIREMENTS.md"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIELDS = """
asset_id asset_tag_number equipment_name manufacturer model_number serial_number device_category
device_subcategory udi_device_identifier udi_production_identifier gmdn_code asset_status
criticality_level
vendor_id purchase_order_number invoice_number purchase_date installation_date purchase_cost
currency_code funding_source grant_number estimated_replacement_cost residual_value
warranty_start_date warranty_end_date warranty_terms amc_provider_id amc_contract_number
amc_start_date amc_end_date amc_cost_annual cmc_provider_id service_level_agreement
technical_specifications software_version operating_system network_mac_address ip_address
power_requirements weight_kg dimensions_cm requires_calibration calibration_frequency_days
last_calibration_date next_calibration_due environmental_requirements
risk_classification fda_registration_number fda_510k_number ce_mark_certificate
iso_certification recall_status recall_notice_id last_safety_inspection_date
next_safety_inspection_due biomedical_waste_handling requires_operator_certification
decontamination_protocol
pm_frequency_days last_pm_date next_pm_due_date pm_procedure_document
pm_estimated_duration_hours auto_generate_work_orders pm_compliance_status
current_facility_id current_building_id current_floor_id current_room_id current_zone
current_coordinates_x current_coordinates_y current_coordinates_z location_accuracy_meters
last_seen_timestamp is_moving rfid_tag_id rfid_tag_ids ble_beacon_mac gps_latitude gps_longitude
geofence_violations home_location_id
total_usage_hours total_usage_cycles current_assigned_user_id current_assigned_department_id
utilization_rate_percent idle_time_hours_last_30_days last_used_timestamp
average_session_duration_minutes peak_usage_day_of_week peak_usage_hour_of_day
failure_probability_score predicted_failure_date failure_category mtbf_hours mttr_hours
failure_count_lifetime last_failure_date ml_model_version ml_prediction_confidence
ml_last_analyzed_timestamp iot_sensor_enabled iot_sensor_ids
depreciation_method useful_life_years salvage_value current_book_value accumulated_depreciation
total_maintenance_cost_lifetime total_downtime_hours_lifetime downtime_cost_per_hour
total_cost_of_ownership roi_calculation
primary_custodian_id custodian_department_id current_operator_id last_operator_id
requires_checkout checked_out checkout_timestamp expected_return_timestamp
ehr_system_asset_id cmms_platform_asset_id financial_system_asset_id hl7_fhir_resource_id
external_system_urls last_ehr_sync_timestamp last_cmms_sync_timestamp sync_status
pm_alert_days_before calibration_alert_days_before warranty_expiry_alert_days
geofence_alert_enabled idle_alert_threshold_days alert_recipients escalation_enabled
escalation_delay_hours
photo_url installation_photo_urls damage_photo_urls manual_document_url service_manual_url
training_video_urls qr_code_image_url attachment_storage_path
created_at created_by_user_id updated_at updated_by_user_id deleted_at deleted_by_user_id
version notes
""".split()  # noqa: SIM905 - a list literal would hide it


def test_the_list_of_fields_is_that_of_the_requirements() -> None:
    assert len(FIELDS) == len(set(FIELDS)) == 156
    if not REQUIREMENTS.exists():
        pytest.skip("the requirements are not beside this checkout")
    text = REQUIREMENTS.read_text()
    section = text[text.index("## The 156 fields") : text.index("## Value sets")]
    domains = [line for line in section.splitlines() if re.match(r"\*\*\d+\. ", line)]
    assert [field for line in domains for field in re.findall(r"`(\w+)`", line)] == FIELDS


def test_every_field_is_a_column(conn: Connection) -> None:
    columns = conn.execute(
        "select attname::text from pg_attribute "
        "where attrelid = 'reporting.asset_full'::regclass and attnum > 0"
    ).fetchall()
    assert set(FIELDS) <= {name for (name,) in columns}


@pytest.fixture
def pump(conn: Connection, become: Any, acme: Any) -> Any:
    """`pump()`: the row of acme's pump as an analyst reads it."""

    def read() -> dict[str, Any]:
        with become(conn, "biotrakr_analyst", acme.id):
            cursor = conn.cursor(row_factory=dict_row)
            row = cursor.execute(
                "select * from reporting.asset_full where asset_id = %s", (acme.asset(),)
            ).fetchone()
        assert row is not None
        return row

    return read


def test_an_asset_that_only_a_site_file_knows_has_a_row(
    conn: Connection, become: Any, acme: Any
) -> None:
    with become(conn, "biotrakr_analyst", acme.id):
        rows = conn.execute(
            "select asset_tag_number, udi_device_identifier, sync_status, recall_status, "
            "checked_out, total_usage_hours, pm_alert_days_before from reporting.asset_full "
            "where asset_tag_number = 'V-1'"
        ).fetchall()
    assert rows == [("V-1", None, "NOT_CONFIGURED", "NONE", False, 0, 14)]


def _complete(conn: Connection, acme: Any) -> None:
    """Give acme's pump what one row a table does not say."""
    event = acme.event
    changes: dict[str, dict[str, Any]] = {
        "registry.asset": {
            "id": acme.asset(), "device_model_id": event("registry.device_model"),
            "criticality": "HIGH", "udi_issuer": "GS1", "udi_di": "00643169001763",
            "udi_pi": "(21)7", "vendor_id": event("registry.vendor"), "purchased_on": "2024-01-02",
            "installed_on": "2024-01-09", "purchase_cost": 5000, "currency_code": "EUR",
            "funding_source_id": event("registry.funding_source"), "residual_value": 100,
            "specifications": '{"channels": 2, "ward": true}', "software_version": "3.1",
            "mac_address": "a4:c1:38:00:00:01", "ip_address": "10.0.0.7",
            "custodian_id": event("registry.user_account"), "home_room_id": acme.room,
            "department_id": event("registry.department"), "downtime_cost_per_hour": 12.5,
            "requires_checkout": True, "attachment_path": "p1/", "notes": "blue",
        },
        "registry.device_model": {
            "id": event("registry.device_model"), "fda_510k_number": "K123456",
            "specifications": '{"channels": 1, "flow_ml_h": 999}', "weight_kg": 2.5,
            "waste_handling": "BIOHAZARD", "manual_url": "https://example.org/m.pdf",
        },
        "registry.device_type": {"id": event("registry.device_type"), "gmdn_code": "13215"},
        "registry.manufacturer": {
            "id": event("registry.manufacturer"), "fda_registration_number": "3001",
        },
        "registry.building": {
            "id": acme.building, "latitude": 50, "longitude": 8, "bearing_deg": 90,
        },
        "prediction.risk_current": {
            "id": event("prediction.risk_current"), "p_low": 0.05, "p_high": 0.2,
            "expected_ttf_h": 480,
        },
        "maintenance.work_order": {
            "id": event("maintenance.work_order"), "failure_confirmed": True,
            "failed_at": "2026-03-01 23:30+00",
        },
    }  # fmt: skip
    for table, values in changes.items():
        names = [name for name in values if name != "id"]
        sets = ", ".join(f"{name} = %({name})s" for name in names)
        conn.execute(f"update {table} set {sets} where id = %(id)s".encode(), values)
    for kind, start in (("CHECKOUT", "2026-03-02 09:00"), ("OPERATION", "2026-03-02 10:00")):
        conn.execute(
            "insert into registry.assignment (organization_id, asset_id, kind, user_id, during, "
            "expected_return_at) values (%s, %s, %s, %s, tstzrange(%s, null), %s)",
            (acme.id, acme.asset(), kind, event("registry.user_account"), f"{start}+00",
             datetime(2026, 3, 3, tzinfo=UTC)),
        )  # fmt: skip
    conn.execute(
        "insert into registry.contract (id, organization_id, vendor_id, number, kind, starts_on, "
        "ends_on, currency_code, terms) values (%s, %s, %s, 'W-1', 'WARRANTY', '2024-01-02', "
        "'2026-01-01', 'EUR', 'parts')",
        (event("warranty"), acme.id, event("registry.vendor")),
    )
    conn.execute(
        "insert into registry.contract_asset (organization_id, contract_id, asset_id) "
        "values (%s, %s, %s)",
        (acme.id, event("warranty"), acme.asset()),
    )


def test_each_field_comes_from_its_table(conn: Connection, acme: Any, pump: Any) -> None:
    _complete(conn, acme)
    row = pump()
    user, department = acme.event("registry.user_account"), acme.event("registry.department")
    expected = {
        "asset_tag_number": "P-1", "equipment_name": "Infusion pump 1",
        "manufacturer": "Acme Médical", "model_number": "IP-100", "device_category": "THERAPEUTIC",
        "device_subcategory": "Infusion pump", "udi_device_identifier": "00643169001763",
        "udi_production_identifier": "(21)7", "gmdn_code": "13215", "criticality_level": "HIGH",
        "vendor_id": acme.event("registry.vendor"), "purchase_date": date(2024, 1, 2),
        "purchase_cost": Decimal(5000), "currency_code": "EUR", "funding_source": "Donation 2020",
        "residual_value": Decimal(100), "warranty_end_date": date(2026, 1, 1),
        "warranty_terms": "parts", "amc_contract_number": "C-1",
        "amc_cost_annual": Decimal("1200.00"), "service_level_agreement": "FOUR_HOURS",
        "technical_specifications": {"channels": 2, "flow_ml_h": 999, "ward": True},
        "network_mac_address": "a4:c1:38:00:00:01", "ip_address": "10.0.0.7",
        "weight_kg": Decimal("2.5"), "last_calibration_date": date(2026, 3, 2),
        "requires_calibration": False,
        "risk_classification": "CLASS_II", "fda_510k_number": "K123456",
        "fda_registration_number": "3001", "recall_status": "CLASS_I", "recall_notice_id": "Z-1",
        "last_safety_inspection_date": date(2026, 3, 2), "biomedical_waste_handling": "BIOHAZARD",
        "requires_operator_certification": True, "pm_frequency_days": 365,
        "next_pm_due_date": date(2026, 3, 2), "current_facility_id": acme.facility,
        "current_building_id": acme.building, "current_room_id": acme.room,
        "current_zone": "no-metal", "current_coordinates_x": Decimal(4),
        "location_accuracy_meters": Decimal("2.5"), "is_moving": True, "ble_beacon_mac": "b1",
        "geofence_violations": 1, "home_location_id": acme.room,
        "total_usage_hours": Decimal(12), "current_assigned_user_id": user,
        "current_assigned_department_id": department,
        "failure_probability_score": Decimal(10), "predicted_failure_date": date(2026, 3, 22),
        "ml_prediction_confidence": Decimal(85), "ml_model_version": "weibull 1",
        "failure_count_lifetime": 1, "iot_sensor_enabled": True,
        "iot_sensor_ids": [str(acme.event("registry.sensor"))],
        "depreciation_method": "STRAIGHT_LINE", "useful_life_years": 5,
        "downtime_cost_per_hour": Decimal("12.5"), "primary_custodian_id": user,
        "custodian_department_id": department, "current_operator_id": user,
        "requires_checkout": True, "checked_out": True,
        "checkout_timestamp": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "expected_return_timestamp": datetime(2026, 3, 3, tzinfo=UTC),
        "cmms_platform_asset_id": "77", "ehr_system_asset_id": None, "sync_status": "PENDING",
        "pm_alert_days_before": 14, "photo_url": "https://example.org/p.jpg",
        "manual_document_url": "https://example.org/m.pdf", "attachment_storage_path": "p1/",
        "notes": "blue",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    # With the y axis towards east, x runs south: 4 m of it, and 7 m east.
    assert float(row["gps_latitude"]) == pytest.approx(50 - 4 / 111_195, abs=2e-7)
    assert float(row["gps_longitude"]) == pytest.approx(8 + 7 / (111_195 * 0.6428), abs=3e-7)


def test_view_asset_full_hides_a_deleted_asset(
    conn: Connection, become: Any, acme: Any, pump: Any
) -> None:
    assert pump()["asset_id"] == acme.asset()
    conn.execute("update registry.asset set deleted_at = now() where id = %s", (acme.asset(),))
    with become(conn, "biotrakr_analyst", acme.id):
        assert conn.execute(
            "select count(*) from reporting.asset_full where asset_id = %s", (acme.asset(),)
        ).fetchone() == (0,)


def test_completeness_is_a_promise_that_a_constraint_keeps(conn: Connection, acme: Any) -> None:
    promise = "update registry.asset set complete = true, created_by = %s where id = %s"
    values = (acme.event("registry.user_account"), acme.asset())
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="asset_is_complete_as_promised"),
        conn.transaction(),
    ):
        conn.execute(promise, values)
    _complete(conn, acme)
    conn.execute(
        "update registry.asset set manufacturer = 'A', model = 'B', serial_number = 'C' "
        "where id = %s",
        (acme.asset(),),
    )
    conn.execute(promise, values)
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("update registry.asset set vendor_id = null where id = %s", (acme.asset(),))


def test_view_v_asset_incomplete(conn: Connection, become: Any, acme: Any) -> None:
    query = "select field from reporting.v_asset_incomplete where asset_id = %s order by field"
    with become(conn, "biotrakr_analyst", acme.id):
        before = [field for (field,) in conn.execute(query, (acme.asset(),))]
    assert before == [
        "created_by_user_id", "criticality_level", "currency_code", "custodian_department_id",
        "manufacturer", "model_number", "primary_custodian_id", "purchase_cost", "purchase_date",
        "requires_calibration", "requires_operator_certification", "risk_classification",
        "serial_number", "udi_device_identifier", "vendor_id",
    ]  # fmt: skip
    assert set(before) <= set(FIELDS)
    _complete(conn, acme)
    with become(conn, "biotrakr_analyst", acme.id):
        after = [field for (field,) in conn.execute(query, (acme.asset(),))]
    assert after == ["created_by_user_id", "manufacturer", "model_number", "serial_number"]


def test_one_row_a_table_means_every_table(conn: Connection) -> None:
    """A table without an entry in one_row would be left out of every test of isolation."""
    tables = conn.execute(
        "select c.oid::regclass::text from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "where c.relkind = 'r' and n.nspname in ('registry', 'maintenance', 'compliance', "
        "'finance', 'prediction', 'audit', 'tracking')"
    ).fetchall()
    for (table,) in tables:
        column = "id" if table == "registry.organization" else "organization_id"
        row = conn.execute(f"select count(distinct {column}) from {table}".encode()).fetchone()
        assert row is not None
        assert row[0] == 2, table
    assert set(one_row.ROWS) <= {table for (table,) in tables}
