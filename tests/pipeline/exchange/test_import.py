"""`biotrakr import assets`, as it is run, against a real database."""

from __future__ import annotations

import csv
import threading
import time
from datetime import date
from decimal import Decimal

import pytest
from equipment_list import HEADER, UDI, line, run

from pipeline.cli.main import main
from pipeline.database import connect


def test_a_new_asset_has_all_that_its_line_says(registry):
    said = run(registry, registry.write(HEADER, line("A-1")))
    assert said.status == 0 and said.out.startswith("1 new, 0 changed, 0 as before")
    [found] = registry.rows(
        """select name, manufacturer, model, category, status, criticality, complete, udi_issuer,
            udi_di, udi_pi, udi_check_ok, udi_problem, lot_number, expires_on, purchased_on,
            purchase_cost, currency_code, facility_id, home_room_id, version
        from registry.asset"""
    )
    assert found == (
        "Pump", "Steinbrück", "P-100", "THERAPEUTIC", "ACTIVE", "HIGH", True, "GS1",
        "00643169001763", "(17)290712(10)A213B1(21)1234", True, None, "A213B1", date(2029, 7, 12),
        date(2024, 2, 29), Decimal("1250.50"), "EUR", registry.ids.north, registry.ids.room, 1,
    )  # fmt: skip
    names = registry.rows(
        """select model.model_number, vendor.code, department.code, custodian.username
        from registry.asset
        join registry.device_model as model on model.id = device_model_id
        join registry.vendor on vendor.id = asset.vendor_id
        join registry.department on department.id = asset.department_id
        join registry.user_account as custodian on custodian.id = custodian_id"""
    )
    assert names == [("P-100", "omni", "icu", "ana")]


def test_the_trail_names_the_user_and_the_file(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    run(registry, registry.write(["tag no", "Name"], ["A-1", "Syringe pump"], name="second.csv"))
    trail = registry.rows(
        """select action, user_id, reason, changed from audit.log
        where relation = 'registry.asset' order by sequence"""
    )
    assert trail == [
        ("INSERT", registry.ids.user, "import of list.csv", []),
        ("UPDATE", registry.ids.user, "import of second.csv", ["name"]),
    ]


def test_again_is_no_change(registry):
    path = registry.write(HEADER, line("A-1"), line("A-2"))
    run(registry, path)
    said = run(registry, path)
    assert said.out.startswith("0 new, 0 changed, 2 as before")
    assert registry.rows("select distinct version from registry.asset") == [(1,)]


def test_an_update_leaves_what_it_does_not_name(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    said = run(registry, registry.write(["Tag no", "cost", "notes"], ["A-1", "99", ""]))
    assert said.out.startswith("0 new, 1 changed")
    found = registry.rows(
        "select purchase_cost, notes, name, version, complete from registry.asset"
    )
    assert found == [(Decimal("99.00"), None, "Pump", 2, True)]


def test_blank_cells_clear_only_when_asked(registry):
    run(registry, registry.write([*HEADER, "Notes"], [*line("A-1"), "old"]))
    path = registry.write(["Tag no", "Notes"], ["A-1", ""])
    assert run(registry, path).out.startswith("0 new, 0 changed, 1 as before")
    assert run(registry, path, "--clear-blanks").out.startswith("0 new, 1 changed")
    assert registry.rows("select notes from registry.asset") == [(None,)]


def test_a_promise_is_not_broken_by_a_blank_cell(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    path = registry.write(["Tag no", "Criticality"], ["A-1", ""])
    said = run(registry, path, "--clear-blanks")
    assert said.status == 1
    assert "line 2, A-1: the registry refuses it: asset is complete as promised" in said.err


BAD = [
    ("Acquisition Cost", "twelve", "purchase_cost 'twelve': no number"),
    ("Acquisition Cost", "-3", "less than 0"),
    ("Acquisition Cost", "1.234,50", "no number"),
    ("Acquisition Cost", "9.999", "more than 2 decimal places"),
    ("Acquisition Date", "2023-02-29", "there is no such day"),
    ("Acquisition Date", "3/4/2024", "day or month first?"),
    ("Category", "GADGET", "one of IMAGING"),
    ("Dept", "nowhere", "no department 'nowhere'"),
    ("Custodian", "eve", "no custodian 'eve'"),
    ("Facility", "west", "no facility 'west'"),
    ("Room", "r9", "no room 'r9'"),
    ("UDI", "(21)1234", "no UDI of GS1"),
    ("Serial No.", "", "serial_number: it is missing, and the asset is new"),
    ("Asset Tag", "", "asset_tag_number: it is missing"),
    ("Asset Tag", "x" * 51, "51 characters; 50 is the most"),
    ("Name", "a\x07b", "control character"),
    ("Name", "a\x00b", "NUL"),
    ("Currency", "euro", "write it like USD"),
]


def test_each_bad_line_is_named_and_the_good_ones_are_in(registry):
    lines = [line(f"B-{i}", **{column: value}) for i, (column, value, _) in enumerate(BAD)]
    good = [line(f"G-{i}") for i in range(len(BAD))]
    mixed = [row for pair in zip(good, lines, strict=True) for row in pair]
    errors = registry.path / "errors.csv"
    said = run(registry, registry.write(HEADER, *mixed), "--batch", "5", "--errors", errors)
    assert said.status == 1
    assert said.out.startswith(f"{len(BAD)} new, 0 changed")
    assert f"{len(BAD)} bad line(s)" in said.out
    with errors.open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert [int(row["line"]) for row in told] == list(range(3, 3 + 2 * len(BAD), 2))
    for (_, _, expected), row in zip(BAD, told, strict=True):
        shown = f"{row['field']} {row['value']!r}: {row['reason']} {row['field']}: {row['reason']}"
        assert expected in shown
    assert registry.rows("select count(*) from registry.asset") == [(len(BAD),)]


def test_all_that_is_wrong_with_a_line_is_told(registry):
    bad = line("A-1", **{"Category": "x", "Acquisition Cost": "y"})
    said = run(registry, registry.write(HEADER, bad))
    assert "device_category 'x'" in said.err and "purchase_cost 'y'" in said.err
    assert "1 bad line(s), 2 problem(s)" in said.out


def test_what_only_the_database_knows_is_one_lines_fault(registry):
    """In the middle of a batch, so that the halves are tried."""
    header = [*HEADER, "Retired on"]
    rows = [[*line(f"A-{i}"), ""] for i in range(20)]
    rows[7][-1] = rows[13][-1] = "2025-01-01"  # though its status says that it is in use
    said = run(registry, registry.write(header, *rows))
    assert said.out.startswith("18 new")
    for number, tag in ((9, "A-7"), (15, "A-13")):
        reason = "the registry refuses it: asset is retired when it says so"
        assert f"line {number}, {tag}: {reason}" in said.err


def test_a_tag_number_counts_once(registry):
    said = run(registry, registry.write(HEADER, line("A-1"), line("A-2"), line("A-1")))
    assert "line 4, A-1: asset_tag_number 'A-1': it stands on line 2 too" in said.err
    assert said.out.startswith("2 new")


def test_a_wrong_check_digit_is_told_and_kept(registry):
    said = run(registry, registry.write(HEADER, line("A-1", UDI="(01)10888857001265(21)7")))
    assert said.status == 0
    found = registry.rows("select udi_di, udi_check_ok, udi_problem from registry.asset")
    assert found == [("10888857001265", False, "the check character is wrong")]


def test_strict_takes_all_back(registry):
    path = registry.write(HEADER, line("A-1"), line("A-2", Make="New", **{"Acquisition Cost": "x"}))
    said = run(registry, path, "--strict", "--batch", "1")
    assert (said.status, said.out) == (1, "1 bad line(s): nothing was written\n")
    assert registry.rows("select count(*) from registry.asset") == [(0,)]


def test_dry_run_tells_and_writes_nothing(registry):
    row = line("A-1", Make="New Maker", Model="X", Supplier="New Vendor")
    path = registry.write([*HEADER, "Risk class"], [*row, "II"])
    said = run(registry, path, "--dry-run")
    assert said.out.startswith("would be 1 new")
    assert "new manufacturers: New Maker" in said.out and "new vendors: New Vendor" in said.out
    for table in ("asset", "vendor where name like 'New%'", "manufacturer where name like 'New%'"):
        assert registry.rows(f"select count(*) from registry.{table}") == [(0,)]
    assert run(registry, path).out.startswith("1 new")


def test_a_new_model_needs_its_type_and_risk_class(registry):
    row = line("A-1", Make="New", Model="X")
    said = run(registry, registry.write(HEADER, row))
    assert "1 lack required fields still" in said.out
    assert registry.rows("select device_model_id, complete from registry.asset") == [(None, False)]
    said = run(registry, registry.write([*HEADER, "Risk class"], [*row, "III"]))
    assert said.out.startswith("0 new, 1 changed")
    [(risk, complete)] = registry.rows(
        """select risk_class, complete from registry.asset
        join registry.device_model on device_model.id = device_model_id"""
    )
    assert (risk, complete) == ("CLASS_III", True)


def test_known_only(registry):
    said = run(registry, registry.write(HEADER, line("A-1", Model="X")), "--known-only")
    assert "the registry has no model 'X' of 'Steinbrück'" in said.err


def test_names_are_compared_as_the_registry_does(registry):
    said = run(registry, registry.write(HEADER, line("A-1", Make="STEINBRUCK", Model="p-100")))
    assert said.out.startswith("1 new")
    assert registry.rows("select count(*) from registry.manufacturer") == [(1,)]
    assert registry.rows("select complete from registry.asset") == [(True,)]


def test_somebody_elses_change_is_not_overwritten(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    registry.rows("update registry.asset set name = 'Renamed' returning 1")
    path = registry.write(["Tag no", "Name", "Version"], ["A-1", "Pump 7", 1])
    said = run(registry, path)
    assert "the registry has version 2 by now" in said.err
    assert registry.rows("select name, version from registry.asset") == [("Renamed", 2)]
    unchanged = registry.write(["Tag no", "Name", "Version"], ["A-1", "Renamed", 1])
    assert run(registry, unchanged).status == 0


def test_a_deleted_asset_is_not_brought_back_unasked(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    registry.rows("update registry.asset set deleted_at = now() returning 1")
    said = run(registry, registry.write(HEADER, line("A-1")))
    assert "line 2, A-1: asset_tag_number 'A-1': that asset was deleted" in said.err


def test_a_confined_user_writes_to_its_facilities_only(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    row = line("A-2", Facility="south", Room="", Dept="", Custodian="")
    said = run(registry, registry.write(HEADER, row, line("A-3", Room="", Dept="")), user="ben")
    assert said.out.startswith("1 new") and "no facility 'north'" in said.err
    # What it may not see it cannot change: to it the tag is new, and taken.
    said = run(registry, registry.write(HEADER, line("A-1", Facility="south", Room="", Dept="")),
               user="ben")  # fmt: skip
    assert said.status == 1
    assert registry.rows("select version from registry.asset where tag_number = 'A-1'") == [(1,)]


def test_facility_of_lines_that_name_none(registry):
    path = registry.write(HEADER, line("A-1", Facility="", Room=""))
    assert "facility: it is missing" in run(registry, path).err
    assert run(registry, path, "--facility", "south").out.startswith("1 new")
    assert registry.rows("select facility_id from registry.asset") == [(registry.ids.south,)]


@pytest.mark.parametrize(
    "options, said",
    [
        (("--user", "eve"), "has no active user 'eve'"),
        (("--user", "ana", "--facility", "west"), "no facility 'west'"),
        (("--user", "ana", "--column", "Nonsense=name"), "no such header"),
        (("--user", "ana", "--column", "Name=equipmentname"), "equipment_name?"),
        (("--user", "ana", "--column", "Make=equipment_name"), "are both equipment_name"),
        (("--user", "ana", "--column", "Asset Tag=-"), "no column is asset_tag_number"),
        (("--user", "ana", "--batch", "0"), "1 to 10000"),
        (("--user", "ana", "--separator", ",,"), "one character"),
        (("--user", "ana", "--encoding", "ebcdic-7"), "no encoding 'ebcdic-7'"),
    ],
)
def test_what_is_wrong_with_the_command_is_said_first(registry, options, said):
    path = registry.write(HEADER, line("A-1"))
    found = registry.run("import", "assets", path, *options)
    assert found.status == 2 and said in found.err
    assert registry.rows("select count(*) from registry.asset") == [(0,)]


def test_columns_can_be_named(registry):
    mapping = registry.path / "columns.toml"
    mapping.write_text('"Nummer" = "asset_tag_number"\n"Was" = "-"\n', encoding="utf-8")
    path = registry.write(["Nummer", "Was", *HEADER[1:]], ["A-1", "?", *line("A-1")[1:]])
    said = run(registry, path, "--columns", mapping)
    assert said.status == 0, said.err
    assert registry.rows("select tag_number from registry.asset") == [("A-1",)]


def test_two_imports_at_once_lose_nothing(registry):
    """Each changes another column of the same assets, again and again."""
    tags = [f"A-{i}" for i in range(30)]
    run(registry, registry.write(HEADER, *(line(tag) for tag in tags)))
    paths = [
        registry.write(["Tag no", "Name"], *([tag, f"Name {tag}"] for tag in tags), name="1.csv"),
        registry.write(["Tag no", "Notes"], *([tag, f"Note {tag}"] for tag in tags), name="2.csv"),
    ]
    options = ["--organization", registry.code, "--user", "ana", "--database-url", registry.url,
               "--batch", "3"]  # fmt: skip
    statuses = []
    threads = [
        threading.Thread(
            target=lambda p=path: statuses.append(main(["import", "assets", str(p), *options]))
        )
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0, 0]
    found = registry.rows("select tag_number, name, notes, version from registry.asset")
    assert sorted(found) == sorted((t, f"Name {t}", f"Note {t}", 3) for t in tags)


def test_a_change_that_is_being_made_is_waited_for(registry):
    run(registry, registry.write(HEADER, line("A-1")))
    path = registry.write(["Tag no", "Name"], ["A-1", "By the import"])
    options = ["--organization", registry.code, "--user", "ana", "--database-url", registry.url]
    importing = threading.Thread(target=main, args=(["import", "assets", str(path), *options],))
    with connect(registry.url) as other, other.transaction():
        other.execute(
            "update registry.asset set notes = 'By somebody' where organization_id = %s",
            (registry.ids.org,),
        )
        importing.start()
        blocked = "select count(*) from pg_locks where not granted"
        deadline = time.monotonic() + 60
        while other.execute(blocked).fetchone() == (0,) and time.monotonic() < deadline:
            time.sleep(0.05)
    importing.join()
    found = registry.rows("select name, notes, version from registry.asset")
    assert found == [("By the import", "By somebody", 3)]


def test_a_label_that_says_nothing_new_is_not_read_again(registry):
    """What somebody made of it by hand stays."""
    run(registry, registry.write(HEADER, line("A-1")))
    registry.rows("update registry.asset set lot_number = null, expires_on = null returning 1")
    said = run(registry, registry.write(HEADER, line("A-1")))
    assert said.out.startswith("0 new, 0 changed, 1 as before")
    run(registry, registry.write(HEADER, line("A-1", UDI=UDI.replace("A213B1", "B2"))))
    assert registry.rows("select lot_number from registry.asset") == [("B2",)]


def test_another_organization_is_out_of_reach(registry):
    """The same tag number there is another asset; a login of its own sees none of ours."""
    run(registry, registry.write(HEADER, line("A-1")))
    with connect(registry.url, role="biotrakr_app") as other, other.transaction():
        org = "00000000-0000-4000-8000-000000000001"
        other.execute("select set_config('app.org_id', %s, true)", (org,))
        assert other.execute("select count(*) from registry.asset").fetchone() == (0,)
