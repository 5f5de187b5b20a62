import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import udi, udi_isbt

YEAR = 2026
ISBT = "=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123"


def test_gs1_of_the_authority():
    found = udi.parse("(01)51022222233336(11)141231(17)150707(10)A213B1(21)1234", YEAR)
    assert (found.issuer, found.di, found.di_check_ok) == ("GS1", "51022222233336", True)
    assert (found.production_date, found.expiry_date) == ("2014-12-31", "2015-07-07")
    assert (found.lot, found.serial, found.warnings) == ("A213B1", "1234", ())


def test_gs1_as_sent():
    found = udi.parse("0100643169001763" + "17160712" + "2121A11F4855", YEAR)
    assert (found.di, found.serial) == ("00643169001763", "21A11F4855")
    assert (found.expiry_date, found.lot) == ("2016-07-12", None)


def test_a_wrong_check_digit_is_told():
    found = udi.parse("(01)10888857001265(17)281200", YEAR)
    assert (found.di_check_ok, found.warnings) == (False, ("di",))
    assert found.expiry_date == "2028-12-31"


def test_a_wrong_date_is_told():
    found = udi.parse("(01)00643169001763(17)281301(11)260230", YEAR)
    assert found.warnings == ("expiry_date", "production_date")
    assert found.expiry_date is None and found.di_check_ok


def test_hibc():
    text = "+A123BJC5D6E71G"
    found = udi.parse(text, YEAR)
    assert (found.issuer, found.di, found.di_check_ok) == ("HIBCC", "A123BJC5D6E71", True)
    assert (found.carrier, found.warnings) == (text, ())
    assert udi.parse(text[:-1] + "H", YEAR).warnings == ("di",)


def test_isbt_128():
    found = udi.parse(ISBT, YEAR)
    assert (found.issuer, found.di, found.serial) == ("ICCBBA", "A9999XYZ100T0944", "000025")
    assert (found.expiry_date, found.production_date) == ("2014-02-01", "2013-02-01")
    assert (found.lot, found.di_check_ok) == ("000000000000XYZ123", None)


def test_isbt_dates():
    assert udi_isbt.parse(ISBT.replace("=>014032", "=>999365"))["expiry_date"] == "1999-12-31"
    assert udi.parse(ISBT.replace("=>014032", "=>014366"), YEAR).warnings == ("expiry_date",)


@pytest.mark.parametrize(
    "text", ["", "(21)5", "215", "=/short", ISBT + "x", "+$$3280229LOTG", "hello", ISBT[18:]]
)
def test_without_a_device_identifier_there_is_no_udi(text):
    assert udi.parse(text, YEAR) is None


@given(st.sampled_from(["", "+", "=/", "(01)", "01", "=/A9999XYZ100T0944"]), st.text(max_size=60))
def test_random_text_never_raises(start, text):
    found = udi.parse(start + text, YEAR)
    assert found is None or found.di


def test_blood_containers():
    found = udi.parse("=)1TE123456A&)RZ12345678", YEAR)
    assert (found.issuer, found.di, found.lot) == ("ICCBBA", "1TE123456A", "RZ12345678")


IFA = "[)>\x1e06\x1d9N111234567842\x1d1T12345ABCD\x1dD280600\x1dSABC123\x1d16D20260230\x1e\x04"


def test_ifa():
    found = udi.parse(IFA, YEAR)
    assert (found.issuer, found.di, found.di_check_ok) == ("IFA", "111234567842", True)
    assert (found.lot, found.serial) == ("12345ABCD", "ABC123")
    assert (found.expiry_date, found.warnings) == ("2028-06-30", ("production_date",))
    assert udi.parse("9N111234567843", YEAR).warnings == ("di",)
    assert udi.parse(IFA.replace("9N", "8P"), YEAR) is None


@pytest.mark.parametrize(
    "text, issuer, lot, serial, expiry",
    [
        ("(17)280200(10)A1(21)S9", "GS1", "A1", "S9", "2028-02-29"),
        ("10A1\x1d17280200", "GS1", "A1", None, "2028-02-29"),
        ("+$$3280229LOTGC", "HIBCC", "LOT", None, "2028-02-29"),
        ("=,000025=>028060", "ICCBBA", None, "000025", "2028-02-29"),
    ],
)
def test_production_identifiers_alone(text, issuer, lot, serial, expiry):
    assert udi.parse(text, YEAR) is None
    found = udi.parse(text, YEAR, production_only=True)
    assert (found.issuer, found.di, found.di_check_ok) == (issuer, "", None)
    assert (found.lot, found.serial, found.expiry_date) == (lot, serial, expiry)


def test_what_is_no_production_identifier():
    for text in ("", "hello", "(91)x", "+$", "=", "&"):
        assert udi.parse(text, YEAR, production_only=True) is None, text


@pytest.mark.parametrize("two_digits, year", [("75", 2075), ("76", 2076), ("77", 1977)])
def test_the_window_of_years(two_digits, year):
    found = udi.parse(f"(01)00643169001763(17){two_digits}0131", YEAR)
    assert found.expiry_date == f"{year}-01-31"


@pytest.mark.parametrize(
    "gtin, good",
    [
        ("00643169001763", True),
        ("51022222233336", True),
        ("09506000134352", True),
        ("00844588003288", True),
        ("10888857001265", False),
    ],
)
def test_gtins(gtin, good):
    assert udi.parse(f"(01){gtin}", YEAR).di_check_ok is good
    assert udi.parse(f"\x1d01{gtin}", YEAR).di_check_ok is good


def test_the_sample_with_a_wrong_check_character_is_read():
    text = "+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202C"
    found = udi.parse(text, YEAR)
    assert (found.di, found.lot) == ("H123PARTNO1234567890120", "LOT123456789012345")
    assert (found.di_check_ok, found.warnings) == (False, ("di",))
