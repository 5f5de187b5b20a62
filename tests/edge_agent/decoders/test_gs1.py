from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import gs1

GTIN = "0107032069804988"


@pytest.mark.parametrize(
    "digits",
    ["00643169001763", "51022222233336", "09506000134352", "00844588003288", "7032069804988"],
)
def test_check_digit(digits):
    assert gs1.check_digit_ok(digits)
    last = (int(digits[-1]) + 1) % 10
    assert not gs1.check_digit_ok(digits[:-1] + str(last))


@pytest.mark.parametrize("digits", ["10888857001265", "", "5", "0064316900176x", "٠٠٦٤٣"])
def test_check_digit_wrong(digits):
    assert not gs1.check_digit_ok(digits)


@pytest.mark.parametrize(
    "text, expected",
    [
        (GTIN + "10A1\x1d21B2", {"01": "07032069804988", "10": "A1", "21": "B2"}),
        ("\x1d" + GTIN, {"01": "07032069804988"}),
        (GTIN + "\x1d10A1\x1d", {"01": "07032069804988", "10": "A1"}),
        ("3103001750", {"3103": "001750"}),
        ("4109506000134352", {"410": "9506000134352"}),
        ("2405X-9\x1d3012", {"240": "5X-9", "30": "12"}),
        ("800512345", {"8005": "12345"}),
        ("91a(b)c", {"91": "a(b)c"}),
        ("00340123450000000000", {"00": "340123450000000000"}),
        ("(01)07032069804988(10)A(1)", {"01": "07032069804988", "10": "A(1)"}),
        ("(01) 07032069804988 (21) B2", {"01": "07032069804988", "21": "B2"}),
        ("(7003)2711221530", {"7003": "2711221530"}),
    ],
)
def test_element_strings(text, expected):
    assert gs1.elements(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x1d",
        "0107032069804",
        "010703206980498x",
        "05123",
        "10",
        "10\x1d21A",
        "10" + "x" * 21,
        "30123456789",
        "1712313",
        "31",
        "10A\x1d10B",
        "10Ä",
        "10A B",
        "(01)0703206980498",
        "(01)",
        "(1)5",
        "(010)7032069804988",
        "(01)07032069804988 and more",
        "https://example.org",
    ],
)
def test_what_is_not_understood_as_a_whole_is_nothing(text):
    assert gs1.elements(text) is None


def test_parse_refuses_a_wrong_check_digit_and_elements_tells_it():
    assert gs1.parse("0110888857001265") is None
    assert gs1.elements("0110888857001265") == {"01": "10888857001265"}
    assert gs1.parse("00340123450000000009") is None
    assert gs1.parse(GTIN) == {"01": "07032069804988"}


@pytest.mark.parametrize(
    "two_digits, now, year",
    [
        (26, 2026, 2026),
        (76, 2026, 2076),
        (77, 2026, 1977),
        (99, 2026, 1999),
        (0, 2026, 2000),
        (49, 2099, 2149),
        (50, 2099, 2050),
        (0, 2049, 2000),
        (99, 2049, 2099),
        (0, 2050, 2100),
    ],
)
def test_the_window_of_years(two_digits, now, year):
    assert gs1.full_year(two_digits, now) == year
    assert -49 <= year - now <= 50


@pytest.mark.parametrize(
    "digits, expected",
    [
        ("260315", date(2026, 3, 15)),
        ("260200", date(2026, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("261200", date(2026, 12, 31)),
        ("261301", None),
        ("260230", None),
        ("260000", None),
        ("2603", None),
        ("26031x", None),
    ],
)
def test_dates(digits, expected):
    assert gs1.parse_date(digits, 2026) == expected


@given(st.text(max_size=60))
def test_random_text_never_raises(text):
    gs1.elements(text)
    gs1.elements("(" + text)
    gs1.parse_date(text, 2026)


@given(
    st.dictionaries(
        st.sampled_from(["10", "21", "240", "91"]),
        st.text("0123456789ABCDEFxyz-/.", min_size=1, max_size=20),
        min_size=1,
    )
)
def test_both_forms_say_the_same(values):
    sent = "\x1d".join(ai + value for ai, value in values.items())
    written = "".join(f"({ai}){value}" for ai, value in values.items())
    assert gs1.elements(sent) == gs1.elements(written) == values
