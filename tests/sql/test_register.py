"""The register and the questions that find an asset, against rows written out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hospital import Analyst, Hospital, two_hospitals

from pipeline.database import connect
from pipeline.database.migrate import migrate
from pipeline.database.query import BadParameter, QueryFailed

NOW = "2026-04-01 10:00+00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def fill(h: Hospital) -> None:
    h.add("registry.department", "ICU", code="icu", name="ICU")
    h.add("registry.user_account", "Ann", username="ann", display_name="Ann")
    h.model("IP-100", maker="Siemens Médical", kind="infusion-pump", udi_di="00844588003288",
            udi_issuer="GS1", specifications={"channels": 1, "display": {"inch": 5}})  # fmt: skip
    h.model("V9", maker="Draeger", kind="ventilator", category="LIFE_SUPPORT",
            risk_class="CLASS_III")  # fmt: skip
    h.asset("P-1", "IP-100", name="Infusion pump north", serial_number="SN 100-1",
            criticality="HIGH", department_id=h.ids["ICU"], custodian_id=h.ids["Ann"],
            manufacturer="SIEMENS", software_version="2.1", udi_check_ok=True,
            specifications={"channels": 3})  # fmt: skip
    h.asset("P-2", "IP-100", name="Infusion pump south", serial_number="sn1001",
            manufacturer="Siemens", software_version="2.1",
            udi_carrier="(01)00844588003288(21)sn1001")  # fmt: skip
    h.asset("V-1", "V9", name="Ventilator", category="LIFE_SUPPORT", serial_number="7",
            manufacturer="Draeger", model="V9", notes="spare for the pump room")  # fmt: skip
    h.asset("H-1", name="Humidifier", serial_number="7", manufacturer="Hum Co", model="H",
            udi_issuer="HIBCC", udi_di="A123BJC5D6E7")  # fmt: skip
    h.asset("OLD-1", "IP-100", status="RETIRED", retired_on="2025-01-01", software_version="1.0")
    h.asset("GONE", "IP-100", name="Infusion pump gone", serial_number="SN-1001",
            deleted_at="2026-03-01 10:00+00", deleted_reason="entered twice")  # fmt: skip
    h.asset("TWICE", name="First", deleted_at="2026-02-01 10:00+00")
    h.asset("TWICE", name="Second", serial_number="T2")
    h.place("P-1", "north-ward", "2026-04-01 09:00+00")
    tag = h.add("registry.tag", name="ble:aa:bb")
    for asset, during in (("P-1", "[2025-01-01,2026-01-01)"), ("P-2", "[2026-01-01,)")):
        h.add("registry.tag_assignment", tag_id=tag, asset_id=h.ids[asset],
              during=during)  # fmt: skip
    for asset, other, kind, must in [
        ("P-1", "V-1", "PARENT", False),  # the ventilator is above the pump
        ("P-1", "H-1", "ACCESSORY", True),
        ("H-1", "P-1", "PARENT", True),  # said from the other end as well
        ("P-2", "OLD-1", "REPLACES", False),
    ]:
        h.add("registry.asset_relation", asset_id=h.ids[asset], other_id=h.ids[other], kind=kind,
              mandatory=must)  # fmt: skip
    h.add("registry.external_system", "cmms", code="cmms", kind="CMMS", name="CMMS")
    h.add("registry.external_sync", system_id=h.ids["cmms"], asset_id=h.ids["P-1"],
          external_id="4711", status="SYNCED", last_synced_at="2026-03-31 10:00+00")  # fmt: skip


@pytest.fixture(scope="module")
def analyst(server: Any) -> Iterator[Analyst]:
    with two_hospitals(server, fill) as (url, hospital), connect(url) as connection:
        yield Analyst(connection, hospital.id, NOW)


def test_view_v_asset_register(analyst: Analyst) -> None:
    columns = (
        "asset_tag, name, manufacturer, model, serial, category, subcategory, status, "
        "criticality, device_class, department, custodian, facility, udi_di, version"
    )
    pump, di = ("Siemens Médical", "IP-100"), "00844588003288"
    kind = ("THERAPEUTIC", "Infusion-Pump")
    assert analyst.view("v_asset_register", columns, "asset_tag <> 'OLD-1'") == [
        ("H-1", "Humidifier", "Hum Co", "H", "7", "THERAPEUTIC", None, "ACTIVE", None, None, None,
         None, "north", "A123BJC5D6E7", 1),
        ("P-1", "Infusion pump north", *pump, "SN 100-1", *kind, "ACTIVE", "HIGH", "CLASS_II",
         "ICU", "Ann", "north", di, 1),
        ("P-2", "Infusion pump south", *pump, "sn1001", *kind, "ACTIVE", None, "CLASS_II", None,
         None, "north", di, 1),
        ("TWICE", "Second", "Label", "L-1", "T2", "THERAPEUTIC", None, "ACTIVE", None, None, None,
         None, "north", None, 1),
        ("V-1", "Ventilator", "Draeger", "V9", "7", "LIFE_SUPPORT", "Ventilator", "ACTIVE", None,
         "CLASS_III", None, None, "north", None, 1),
    ]  # fmt: skip


def test_a01_asset_by_tag(analyst: Analyst) -> None:
    columns = "asset_tag name manufacturer facility department custodian room last_seen_at"
    assert analyst.query("A01", columns, tag=" p-1") == [
        ("P-1", "Infusion pump north", "Siemens Médical", "north", "ICU", "Ann", "Ward",
         at("2026-04-01T09:00")),
    ]  # fmt: skip
    assert analyst.query("A01", tag="GONE") == []
    assert analyst.query("A01", "name", tag="TWICE") == [("Second",)]


def test_a02_asset_by_serial(analyst: Analyst) -> None:
    columns = "asset_tag manufacturer"
    assert analyst.query("A02", columns, serial="7") == [("V-1", "Draeger"), ("H-1", "Hum Co")]
    assert analyst.query("A02", columns, serial="7", manufacturer="HUM") == [("H-1", "Hum Co")]
    assert analyst.query("A02", columns, serial="SN1001", manufacturer="siemens medical") == [
        ("P-2", "Siemens Médical")
    ]


def test_a03_asset_by_udi(analyst: Analyst) -> None:
    columns = "asset_tag match_on serial_in_carrier check_ok problem"
    unit = "device identifier"
    assert analyst.query("A03", columns, udi="00844588003288") == [
        ("OLD-1", unit, None, None, "not checked"),
        ("P-1", unit, None, True, None),
        ("P-2", unit, None, None, "not checked"),
    ]
    assert analyst.query("A03", columns, udi="(01)00844588003288(21)SN1001") == [
        ("P-2", f"{unit} in carrier", True, None, "not checked"),
        ("OLD-1", f"{unit} in carrier", False, None, "not checked"),
        ("P-1", f"{unit} in carrier", False, True, None),
    ]
    assert analyst.query("A03", columns, udi="(01)00844588003288(21)sn1001")[0][:2] == (
        "P-2", "carrier",
    )  # fmt: skip
    assert analyst.query("A03", columns, udi="+A123BJC5D6E71G") == [
        ("H-1", f"{unit} in carrier", True, None, "not checked")
    ]
    assert analyst.query("A03", udi="(01)00000000000000") == []


@pytest.mark.parametrize("tag", ["ble:aa:bb", "aa:bb", "AA:BB"])
def test_a04_asset_by_rtls_tag(analyst: Analyst, tag: str) -> None:
    columns = "tag asset_tag worn_from worn_until is_worn_now"
    rows = analyst.query("A04", columns, tag=tag)
    year = datetime(2026, 1, 1, tzinfo=rows[0][2].tzinfo)
    assert rows == [
        ("ble:aa:bb", "P-2", year, None, True),
        ("ble:aa:bb", "P-1", year.replace(year=2025), year, False),
    ]


def test_a05_asset_fulltext(analyst: Analyst) -> None:
    rows = analyst.query("A05", "asset_tag rank", words="pumps")
    # in the name before in the notes; what was deleted is not there
    assert [row[0] for row in rows] == ["P-1", "P-2", "V-1"]
    assert rows[0][1] == rows[1][1] > rows[2][1] > 0
    assert analyst.query("A05", "asset_tag", words="pump -south") == [("P-1",), ("V-1",)]
    assert analyst.query("A05", "asset_tag", words="pump", most=1) == [("P-1",)]
    assert analyst.query("A05", words="") == []


def test_a06_asset_fuzzy_name(analyst: Analyst) -> None:
    """The label says SIEMENS and Siemens."""
    rows = analyst.query("A06", "asset_tag similarity", text="siemns")
    assert [row[0] for row in rows] == ["P-1", "P-2"]
    assert all(0.4 <= float(row[1]) < 1 for row in rows)
    assert analyst.query("A06", "asset_tag", text="ventlator")[0] == ("V-1",)
    assert analyst.query("A06", text="xyzzy") == []
    assert analyst.query("A06", text="siemns", threshold="0.95") == []
    assert len(analyst.query("A06", text="siemns", threshold=0, most=1)) == 1


def test_a07_asset_by_spec(analyst: Analyst) -> None:
    """Its own channels win over its model's, the rest is its model's."""
    columns = "asset_tag technical_specifications"
    assert analyst.query("A07", columns, specifications='{"channels": 3}') == [
        ("P-1", {"channels": 3, "display": {"inch": 5}})
    ]
    assert analyst.query("A07", "asset_tag", specifications='{"channels": 1}') == [
        ("OLD-1",), ("P-2",),
    ]  # fmt: skip
    assert len(analyst.query("A07", specifications='{"display": {"inch": 5}}')) == 3
    with pytest.raises(QueryFailed, match="invalid input syntax for type json"):
        analyst.query("A07", specifications="channels")


def test_a08_asset_by_external_id(analyst: Analyst) -> None:
    columns = "system system_kind external_id asset_tag sync_status last_synced_at"
    row = ("cmms", "CMMS", "4711", "P-1", "SYNCED", at("2026-03-31T10:00"))
    assert analyst.query("A08", columns, external_id="4711") == [row]
    assert analyst.query("A08", columns, external_id="4711", system="Cmms") == [row]
    assert analyst.query("A08", external_id="4711", system="erp") == []


def test_a10_assets_missing_required(analyst: Analyst) -> None:
    """Of five assets in use."""
    rows = {row[0]: row[1:] for row in analyst.query("A10")}
    assert rows["udi_device_identifier"] == (2, 5, 40, ["TWICE", "V-1"])
    assert rows["criticality_level"] == (4, 5, 80, ["H-1", "P-2", "TWICE", "V-1"])
    assert rows["risk_classification"] == (2, 5, 40, ["H-1", "TWICE"])
    assert rows["primary_custodian_id"][0] == 4
    assert rows["depreciation_method"][0] == rows["useful_life_years"][0] == 5
    assert "manufacturer" not in rows
    assert "serial_number" not in rows


def test_a11_assets_duplicate_candidates(analyst: Analyst) -> None:
    """SN 100-1 and sn1001 of one model; not the two sevens of two makers, not the deleted one."""
    columns = "reason shared asset_tag twins"
    assert analyst.query("A11", columns) == [
        ("serial", "SIEMENS MÉDICAL / IP-100 / SN1001", "P-1", 1),
        ("serial", "SIEMENS MÉDICAL / IP-100 / SN1001", "P-2", 1),
        ("udi", "00844588003288 / SN1001", "P-1", 1),
        ("udi", "00844588003288 / SN1001", "P-2", 1),
    ]


def test_a12_assets_by_software_version(analyst: Analyst) -> None:
    assert analyst.query("A12", model="ip-100", manufacturer="siemens medical") == [
        ("Siemens Médical", "IP-100", "2.1", 2, 2, 100, False, ["P-1", "P-2"])
    ]
    with analyst.conn.transaction(force_rollback=True):
        analyst.conn.execute(
            "insert into registry.asset (id, organization_id, facility_id, tag_number, name, "
            "manufacturer, model, serial_number, category, device_model_id, software_version) "
            "select gen_random_uuid(), organization_id, facility_id, 'X-' || n, name, "
            "manufacturer, model, n::text, category, device_model_id, "
            "case when n = 1 then '1.9' else '2.1' end "
            "from registry.asset, generate_series(1, 9) as n "
            "where tag_number = 'P-1' and organization_id = %s",
            (analyst.organization,),
        )
        columns = "software_version assets of_model share_pct is_outlier"
        assert analyst.query("A12", columns, model="IP-100") == [
            ("1.9", 1, 11, Decimal("9.1"), True),
            ("2.1", 10, 11, Decimal("90.9"), False),
        ]


@pytest.mark.parametrize("tag", ["P-1", "h-1", "V-1"])
def test_a13_asset_family_tree(analyst: Analyst, tag: str) -> None:
    """The same tree from any of its members; the accessory is told twice, once in each way."""
    rows = analyst.query("A13", "depth relation asset_tag mandatory path", tag=tag)
    assert rows == [
        (0, None, "V-1", False, "V-1"),
        (1, "CHILD", "P-1", False, "V-1 > P-1"),
        (2, "ACCESSORY", "H-1", True, "V-1 > P-1 > H-1"),
    ]


def test_a13_a_circle_ends(analyst: Analyst) -> None:
    with analyst.conn.transaction(force_rollback=True):
        analyst.conn.execute(
            "insert into registry.asset_relation (organization_id, asset_id, other_id, kind) "
            "select a.organization_id, a.id, b.id, 'PARENT' from registry.asset as a "
            "join registry.asset as b on b.organization_id = a.organization_id "
            "where a.tag_number = 'V-1' and b.tag_number = 'H-1'"
        )
        rows = analyst.query("A13", "asset_tag", tag="P-1")
    assert [row[0] for row in rows] == ["P-1", "H-1", "V-1"]


def test_a15_assets_soft_deleted(analyst: Analyst) -> None:
    columns = "asset_tag name deleted_at deleted_reason tag_taken"
    assert analyst.query("A15", columns) == [
        ("GONE", "Infusion pump gone", at("2026-03-01T10:00"), "entered twice", False),
        ("TWICE", "First", at("2026-02-01T10:00"), None, True),
    ]
    assert analyst.query("A15", since="2026-03-15") == []


def test_nothing_is_shown_to_an_unknown_organization(analyst: Analyst) -> None:
    nobody = Analyst(analyst.conn, UUID(int=0), NOW)
    for view in ("v_asset_register", "v_udi_quality", "v_pm_schedule", "v_depreciation", "v_tco"):
        assert nobody.view(view, "asset_id") == []
    assert nobody.select("select * from app.find_words('pump', 10)") == []
    with pytest.raises(BadParameter, match="does not exist"):
        nobody.query("A05", words="pump")


def test_functions_and_views_can_be_made_anew_by_a_later_migrate(server: Any) -> None:
    """In a session in which nothing has loaded the library of an extension yet."""
    with server.copy() as url:
        with connect(url) as connection:
            connection.execute(
                "update ops.migration set sha256 = repeat('0', 64) where kind <> 'migration'"
            )
        again = {applied.path for applied in migrate(url)}
    assert {"functions/app.find_similar.sql", "views/v_asset_register.sql"} <= again
