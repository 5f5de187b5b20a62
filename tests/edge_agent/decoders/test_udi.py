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
