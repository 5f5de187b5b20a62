import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import hibc

YEAR = 2026
FDA_SAMPLE = (
    "+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202C"
)


def labelled(text):
    """With the right check character."""
    return text + hibc.check_character(text)


@pytest.mark.parametrize("text", ["+A123BJC5D6E71G", "+A1234BJC5D6E71K"])
def test_check_character(text):
    assert hibc.parse(text)["valid"]
    assert not hibc.parse(text[:-1] + "0")["valid"]


def test_primary():
    frame = hibc.parse("+A123BJC5D6E71G")
    assert (frame["labeler"], frame["product"]) == ("A123", "BJC5D6E7")
    assert frame["unit_of_measure"] == 1


def test_a_wrong_check_character_is_told_and_the_fields_are_there():
    frame = hibc.parse(FDA_SAMPLE, YEAR)
    assert frame["valid"] is False
    assert hibc.check_character(FDA_SAMPLE[:-1]) == "H"
    assert (frame["labeler"], frame["product"]) == ("H123", "PARTNO123456789012")
    assert (frame["lot"], frame["serial"]) == ("LOT123456789012345", "XYZ456789012345678")
    assert (frame["expiry_date"], frame["production_date"]) == ("2020-02-02", "2013-02-02")


@pytest.mark.parametrize(
    "secondary, expected",
    [
        ("$LOT1", {"lot": "LOT1"}),
        ("$+SER1", {"serial": "SER1"}),
        ("$$0928LOT", {"lot": "LOT", "expiry_date": "2028-09-30"}),
        ("$$1226LOT", {"lot": "LOT", "expiry_date": "2026-12-31"}),
        ("$$2022928LOT", {"lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$3280229LOT", {"lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$428022916LOT", {"lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$528060LOT", {"lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$62806016LOT", {"lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$7LOT", {"lot": "LOT"}),
        ("$$8243280229LOT", {"quantity": 24, "lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$900240528060LOT", {"quantity": 240, "lot": "LOT", "expiry_date": "2028-02-29"}),
        ("$$+3280229SER", {"serial": "SER", "expiry_date": "2028-02-29"}),
        ("$$+7SER", {"serial": "SER"}),
        ("$$3280230LOT", {"lot": "LOT", "expiry_date": None}),
        ("$$526366LOT", {"lot": "LOT", "expiry_date": None}),
        ("$$3LOT", {"lot": "LOT"}),
        ("$$", {"lot": ""}),
    ],
)
def test_secondary_data(contains, secondary, expected):
    joined = hibc.parse(labelled("+A123BJC5D6E71/" + secondary), YEAR)
    assert joined["valid"] and contains(expected, joined)
    alone = hibc.parse(labelled("+" + secondary + "G"), YEAR)
    assert alone["valid"] and alone["link"] == "G" and contains(expected, alone)


def test_dates_need_a_year():
    frame = hibc.parse(labelled("+A123BJC5D6E71/$$3280229LOT"))
    assert (frame["expiry"], frame["expiry_date"]) == ("280229", None)


def test_other_parts(contains):
    frame = hibc.parse(labelled("+A123BJC5D6E71/$LOT/14D20280229/16D20260230/Q12/S7"), YEAR)
    assert contains(
        {"expiry_date": "2028-02-29", "production_date": None, "quantity": 12, "serial": "7"}, frame
    )


@pytest.mark.parametrize(
    "text", ["", "+", "A123BJC5D6E71G", "+a123bjc5d6e71G", "+1123BJC5D6E71", "+41791234567", "++"]
)
def test_what_is_not_hibc(text):
    frame = hibc.parse(text)
    assert frame["valid"] is False and "labeler" not in frame


@given(st.text("0123456789ABCDEFS-. $/+%DQ", max_size=40))
def test_random_labels_never_raise(text):
    hibc.parse(text, YEAR)
    hibc.parse("+$$" + text, YEAR)
    hibc.parse(labelled("+A123BJC5D6E71/" + text), YEAR)


@given(st.text(max_size=40))
def test_random_text_never_raises(text):
    assert hibc.parse(text, YEAR)["valid"] in (True, False)
