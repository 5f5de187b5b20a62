"""`biotrakr export assets`: CSV that reads back unchanged, FHIR Devices of the right shape."""

from __future__ import annotations

import csv
import json

import pytest
from equipment_list import HEADER, line, run

REFERENCE = {"reference": str, "display": str}
CODING = {"system": str, "code": str, "display": str}
CONCEPT = {"coding": [CODING], "text": str}
IDENTIFIER = {"use": str, "type": CONCEPT, "system": str, "value": str}
UDI = {"deviceIdentifier": str, "issuer": str, "jurisdiction": str, "carrierHRF": str,
       "entryType": str}  # fmt: skip
COMMON = {
    "resourceType": str, "id": str, "meta": {"versionId": str, "lastUpdated": str},
    "identifier": [IDENTIFIER], "udiCarrier": [UDI], "status": str, "manufacturer": str,
    "manufactureDate": str, "expirationDate": str, "lotNumber": str, "serialNumber": str,
    "modelNumber": str, "owner": REFERENCE, "location": REFERENCE, "note": [{"text": str}],
    "version": [{"type": CONCEPT, "value": str}],
}  # fmt: skip
DEVICE = {
    "r4": COMMON | {"deviceName": [{"name": str, "type": str}], "type": CONCEPT},
    "r5": COMMON
    | {
        "displayName": str,
        "name": [{"value": str, "type": str, "display": bool}],
        "type": [CONCEPT],
        "availabilityStatus": CONCEPT,
    },
}
"""Elements of Device in each release, as far as they are written, with their types."""
STATUS = {"r4": {"active", "inactive", "entered-in-error", "unknown"},
          "r5": {"active", "inactive", "entered-in-error"}}  # fmt: skip


def check(value, shape, where):
    if isinstance(shape, list):
        assert isinstance(value, list) and value, where
        for item in value:
            check(item, shape[0], where)
    elif isinstance(shape, dict):
        assert isinstance(value, dict) and value, where
        assert not value.keys() - shape.keys(), (where, value.keys() - shape.keys())
        for name, part in value.items():
            check(part, shape[name], f"{where}.{name}")
    else:
        assert isinstance(value, shape) and value != "", where


def test_a_list_reads_back_unchanged(registry):
    header = [*HEADER, "Notes", "Specs", "MAC", "IP", "Fund"]
    odd = ["=cmd|' /C calc'!A0", '{"a": [1, "ü"]}', "00:1a:2b:3c:4d:5e", "10.0.0.7", ""]
    run(registry, registry.write(
        header,
        [*line("A-1"), *odd],
        [*line("A-2", UDI="+A123BJC5D6E71G", Name="@Pump"), "-5 °C\n'quoted'", "", "", "", ""],
        [*line("A-3", UDI="", Room="", Custodian="", Dept="", Criticality=""), *[""] * 5],
    ))  # fmt: skip
    path = registry.path / "out.csv"
    before = registry.rows("select * from registry.asset order by tag_number")
    assert registry.run("export", "assets", "--output", path).status == 0
    said = run(registry, path)
    assert (said.status, said.out.splitlines()[0]) == (0, "0 new, 0 changed, 3 as before")
    assert registry.rows("select * from registry.asset order by tag_number") == before
    assert not (registry.path / "out.csv.part").exists()


def test_what_a_spreadsheet_would_run_is_harmless(registry):
    run(registry, registry.write(HEADER, line("A-1", Name="=1+1", UDI="+A123BJC5D6E71G")))
    said = registry.run("export", "assets")
    [row] = csv.DictReader(said.out.splitlines())
    assert row["equipment_name"] == "'=1+1" and row["udi_carrier"] == "'+A123BJC5D6E71G"
    assert registry.rows("select name from registry.asset") == [("=1+1",)]


def test_conventions_of_maintenance_systems(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    [row] = csv.DictReader(registry.run("export", "assets").out.splitlines())
    wanted = {"asset_tag_number": "A-1", "serial_number": "S1", "manufacturer": "Steinbrück",
              "model_number": "P-100", "device_subcategory": "Infusion pump",
              "home_room": "main/r1", "department": "icu", "cost_center": "4711",
              "criticality_level": "HIGH", "asset_status": "ACTIVE",
              "purchase_date": "2024-02-29", "purchase_cost": "1250.50",
              "pm_schedule_code": "", "warranty_end_date": ""}  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted


def test_an_export_is_written_down(registry):
    registry.run("export", "assets", "--format", "fhir-r4", "--facility", "north", "--user", "ana")
    assert registry.rows(
        "select relation, reason, user_id from audit.log where action = 'EXPORT'"
    ) == [("registry.asset", "fhir-r4, north", registry.ids.user)]


def test_one_facility(registry):
    south = line("A-2", Facility="south", Room="", Dept="")
    run(registry, registry.write(HEADER, line("A-1"), south))
    found = list(csv.DictReader(
        registry.run("export", "assets", "--facility", "south").out.splitlines()
    ))  # fmt: skip
    assert [row["asset_tag_number"] for row in found] == ["A-2"]


@pytest.mark.parametrize("release", ["r4", "r5"])
def test_fhir(registry, release):
    header = [*HEADER, "Status", "Software", "Notes"]
    run(registry, registry.write(
        header,
        [*line("A-1"), "IN_SERVICE", "4.2", "a note"],
        [*line("A-2", UDI=""), "IN_MAINTENANCE", "", ""],
        [*line("A-3", UDI="+A123BJC5D6E71G"), "RETIRED", "", ""],
    ))  # fmt: skip
    path = registry.path / "bundle.json"
    registry.run("export", "assets", "--format", f"fhir-{release}", "--output", path)
    bundle = registry.load(path)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert [e["fullUrl"] for e in bundle["entry"]] == [f"urn:uuid:{r['id']}" for r in resources]
    known = {f"{r['resourceType']}/{r['id']}" for r in resources}
    devices = [r for r in resources if r["resourceType"] == "Device"]
    for device in devices:
        check(device, DEVICE[release], "Device")
        assert device["status"] in STATUS[release]
        assert {device["owner"]["reference"], device["location"]["reference"]} <= known
    first, second, _ = devices
    assert first["identifier"][0]["value"] == "A-1"
    assert first["identifier"][1]["type"]["coding"][0]["code"] == "SNO"
    assert first["udiCarrier"] == [{
        "deviceIdentifier": "00643169001763",
        "issuer": "http://hl7.org/fhir/NamingSystem/gs1",
        "carrierHRF": "(01)00643169001763(17)290712(10)A213B1(21)1234",
        "entryType": "unknown",
    }]  # fmt: skip
    assert (first["expirationDate"], first["lotNumber"]) == ("2029-07-12", "A213B1")
    assert first["location"]["reference"] == f"Location/{registry.ids.room}"
    assert [d["status"] for d in devices] == ["active", "active", "inactive"]
    assert "udiCarrier" not in second
    names = "deviceName" if release == "r4" else "name"
    assert first[names][0]["type"] == "user-friendly-name"
    available = [
        d.get("availabilityStatus", {}).get("coding", [{}])[0].get("code") for d in devices
    ]
    # In maintenance is neither available nor damaged.
    assert available == ([None] * 3 if release == "r4" else ["available", None, None])


@pytest.mark.parametrize("release, form", [("r4", "physicalType"), ("r5", "form")])
def test_places(registry, release, form):
    said = registry.run("export", "assets", "--format", f"fhir-{release}", "--ndjson")
    found = [json.loads(line) for line in said.out.splitlines()]
    places = {r["id"]: r for r in found if r["resourceType"] == "Location"}
    path, here = [], places[str(registry.ids.room)]
    while here:
        path.append(here[form]["coding"][0]["code"])
        assert "position" not in here
        parent = here.get("partOf", {}).get("reference", "")
        here = places.get(parent.removeprefix("Location/"))
    assert path == ["ro", "lvl", "bu", "si"]


def test_nothing_of_another_organization(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    for form in ("csv", "fhir-r5"):
        text = registry.run("export", "assets", "--format", form).out
        assert text.count("A-1") >= 1
        assert text.count("urn:biotrakr:acme-") == text.count(f"urn:biotrakr:{registry.code}:")
