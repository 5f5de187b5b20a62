from __future__ import annotations

import pytest

from pipeline.exchange import udi, values
from pipeline.exchange.errors import MappingError
from pipeline.exchange.fields import BY_HEADER, FIELDS
from pipeline.exchange.mapping import map_columns, read_mapping
from pipeline.exchange.values import Conventions

PLAIN, COMMA = Conventions(), Conventions(decimal_comma=True)
money = values.number(places=2, least=0)


@pytest.mark.parametrize(
    "cell, conventions, expected",
    [
        ("2024-02-29", PLAIN, "2024-02-29"),
        ("2024-2-9", PLAIN, "2024-02-09"),
        ("2024-02-29 00:00:00", PLAIN, "2024-02-29"),
        ("29.02.2024", PLAIN, "2024-02-29"),
        ("3/4/2024", Conventions("dmy"), "2024-04-03"),
        ("3/4/2024", Conventions("mdy"), "2024-03-04"),
    ],
)
def test_dates(cell, conventions, expected):
    assert values.day(cell, conventions) == expected


@pytest.mark.parametrize("cell", ["", "3/4/2024", "2024-13-01", "24-01-01", "1.1.0001", "today"])
def test_no_dates(cell):
    with pytest.raises(ValueError, match=r"."):
        values.day(cell, PLAIN)


@pytest.mark.parametrize(
    "cell, conventions, expected",
    [
        ("1250.5", PLAIN, "1250.5"),
        ("1,250.50", PLAIN, "1250.50"),
        ("0", PLAIN, "0"),
        ("1.250,50", COMMA, "1250.50"),
        ("1 250,5", COMMA, "1250.5"),
        ("1250", COMMA, "1250"),
    ],
)
def test_numbers(cell, conventions, expected):
    assert money(cell, conventions) == expected


@pytest.mark.parametrize(
    "cell, conventions",
    [("1,25", PLAIN), ("1e9", PLAIN), ("nan", PLAIN), ("1.005", PLAIN), ("-1", PLAIN),
     ("$5", PLAIN), ("1.5", COMMA), ("٣", PLAIN)],
)  # fmt: skip
def test_no_numbers(cell, conventions):
    with pytest.raises(ValueError, match=r"."):
        print(money(cell, conventions))


def test_other_kinds():
    assert values.mac("00-1A-2b-3C-4d-5E", PLAIN) == "00:1a:2b:3c:4d:5e"
    assert values.ip("10.0.0.7", PLAIN) == "10.0.0.7"
    assert values.yes_no("Ja", PLAIN) and not values.yes_no("no", PLAIN)
    assert values.choice("IN_SERVICE", inuse="IN_SERVICE")("in service", PLAIN) == "IN_SERVICE"
    assert values.choice("IN_SERVICE", inuse="IN_SERVICE")("In-Use", PLAIN) == "IN_SERVICE"
    assert values.json_value(dict)('{"a": 1}', PLAIN) == {"a": 1}
    for bad in ("[1]", "{", '{"a": NaN}', '{"a": "\\u0000"}', "[" * 30_000):
        with pytest.raises(ValueError, match=r"."):
            values.json_value(dict)(bad, PLAIN)


def test_headers_are_found_however_they_are_written():
    columns = map_columns(["ASSET_TAG", "Serial No.", "S/N 2", "Gerätebezeichnung"], {}).columns
    assert [field.name if field else None for field in columns] == [
        "asset_tag_number", "serial_number", None, "equipment_name",
    ]  # fmt: skip


def test_every_field_is_found_by_its_own_name():
    assert all(BY_HEADER[field.name.replace("_", "")] is field for field in FIELDS)


@pytest.mark.parametrize("text", ["x", '[s]\na = "b"', '"a" = 1'])
def test_a_mapping_file_that_is_none(tmp_path, text):
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError):
        read_mapping(path, [])


YEAR = 2026
HIBC = "+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202C"


@pytest.mark.parametrize(
    "carrier, expected",
    [
        ("(01)51022222233336(11)141231(17)150707(10)A213B1(21)1234",
         ("GS1", "51022222233336", "(11)141231(17)150707(10)A213B1(21)1234", True, None, "A213B1",
          "2014-12-31", "2015-07-07")),
        ("]d20100643169001763" + "17160712" + "2121A11F4855",
         ("GS1", "00643169001763", "171607122121A11F4855", True, None, None, None, "2016-07-12")),
        ("010064316900176310A<GS>17280200",
         ("GS1", "00643169001763", "10A\x1d17280200", True, None, "A", None, "2028-02-29")),
        (HIBC, ("HIBCC", "H123PARTNO1234567890120", HIBC.partition("/")[2], False,
                udi.WRONG_CHECK, "LOT123456789012345", "2013-02-02", "2020-02-02")),
        ("=)1TE123456A&)RZ12345678",
         ("ICCBBA", "1TE123456A", None, None, None, "RZ12345678", None, None)),
        ("[)>\x1e06\x1d9N111234567842\x1d1TABC\x1dD280600\x1e\x04",
         ("IFA", "111234567842", None, True, None, "ABC", None, "2028-06-30")),
        ("(01)00643169001763(17)281301",
         ("GS1", "00643169001763", "(17)281301", True, "the expiry date cannot be read", None,
          None, None)),
    ],
)  # fmt: skip
def test_labels_become_columns(carrier, expected):
    found = udi.from_carrier(carrier, YEAR)
    assert found.pop("udi_carrier") == carrier
    names = ("udi_issuer", "udi_di", "udi_pi", "udi_check_ok", "udi_problem", "lot_number",
             "manufactured_on", "expires_on")  # fmt: skip
    assert tuple(found[name] for name in names) == expected


@pytest.mark.parametrize("carrier", ["", "hello", "(21)5", "+$$3280229LOTGC", "x" * 300])
def test_what_is_no_label_is_refused(carrier):
    with pytest.raises(ValueError, match=r"."):
        udi.from_carrier(carrier, YEAR)


@pytest.mark.parametrize(
    "text, issuer, di, good",
    [
        ("643169001763", "GS1", "00643169001763", True),
        ("10888857001265", "GS1", "10888857001265", False),
        ("+A123BJC5D6E71G", "HIBCC", "A123BJC5D6E71", True),
        ("A123BJC5D6E71", None, "A123BJC5D6E71", None),
    ],
)
def test_bare_device_identifiers(text, issuer, di, good):
    found = udi.from_device_identifier(text, YEAR)
    assert (found["udi_issuer"], found["udi_di"], found["udi_check_ok"]) == (issuer, di, good)
