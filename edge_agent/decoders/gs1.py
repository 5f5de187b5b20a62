"""GS1 element strings: application identifiers (AI) and their values.

Two forms: as scanners send them, values of variable length ended by GS (FNC1), and as people read
them, with the identifiers in brackets.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

GS = "\x1d"
_AI_DIGITS = {
    **dict.fromkeys(("00", "01", "02", "03", "04", "30", "37"), 2),
    **dict.fromkeys((f"{number}" for number in range(10, 23)), 2),
    **dict.fromkeys(("23", "24", "25", "40", "41", "42", "71"), 3),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "39", "43"), 4),
    **dict.fromkeys(("70", "72", "80", "81", "82"), 4),
    **dict.fromkeys((f"{number}" for number in range(90, 100)), 2),
}
"""First two digits -> digits of the identifier."""
_PREDEFINED = {
    "00": 18,
    **dict.fromkeys(("01", "02", "03"), 14),
    "04": 16,
    **dict.fromkeys((f"{number}" for number in range(11, 20)), 6),
    "20": 2,
    **dict.fromkeys(("31", "32", "33", "34", "35", "36"), 6),
    "41": 13,
}
"""First two digits -> digits of the value, for those that need no separator. All numeric."""
_LONGEST = {
    **dict.fromkeys(("10", "21", "22"), 20),
    **dict.fromkeys(("23", "24", "25", "40"), 30),
    **dict.fromkeys(("30", "37"), 8),
    **dict.fromkeys(("42", "71"), 20),
}
"""First two digits -> characters of a value of variable length; 90 for the others."""
_NUMERIC = {"30", "37"}
_CHECKED = {"00", "01", "02"}
_BRACKETED = re.compile(r"\(([0-9]{2,4})\)((?:(?!\([0-9]{2,4}\)).)*)")
_VALUE = re.compile(r"[!-~]+")


class _Ai(NamedTuple):
    code: str
    predefined: int | None
    longest: int


def parse(text: str) -> dict[str, str] | None:
    """AI -> value, or None unless every identifier, length and check digit is right."""
    found = elements(text)
    if found is None or not all(check_digit_ok(found[ai]) for ai in _CHECKED & found.keys()):
        return None
    return found


def elements(text: str) -> dict[str, str] | None:
    """As `parse`, but check digits are not looked at: the caller wants to tell about them."""
    found = _bracketed(text) if text.startswith("(") else _sent(text.removeprefix(GS))
    return found or None


def _sent(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        ai = _ai(text[at : at + 4])
        if ai is None:
            return None
        at += len(ai.code)
        if ai.predefined is not None:
            end = at + ai.predefined
            value, at = text[at:end], end
        else:
            value = text[at:].partition(GS)[0]
            at += len(value)
        if not _add(found, ai, value):
            return None
        if text[at : at + 1] == GS:  # tolerated after a value of predefined length too
            at += 1
    return found


def _bracketed(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _BRACKETED.match(text, at)
        ai = _ai(match[1]) if match else None
        if match is None or ai is None or ai.code != match[1]:
            return None
        if not _add(found, ai, match[2].strip()):
            return None
        at = match.end()
    return found


def _ai(digits: str) -> _Ai | None:
    """The identifier that `digits` begin with."""
    family = digits[:2]
    code = digits[: _AI_DIGITS.get(family, 0)]
    if len(code) != _AI_DIGITS.get(family) or not (code.isascii() and code.isdigit()):
        return None
    return _Ai(code, _PREDEFINED.get(family), _LONGEST.get(family, 90))


def _add(found: dict[str, str], ai: _Ai, value: str) -> bool:
    numeric = ai.predefined is not None or ai.code in _NUMERIC
    if not _VALUE.fullmatch(value) or (numeric and not (value.isascii() and value.isdigit())):
        return False
    if len(value) != ai.predefined if ai.predefined is not None else len(value) > ai.longest:
        return False
    return found.setdefault(ai.code, value) == value


def check_digit_ok(digits: str) -> bool:
    """Last digit of a GTIN, EAN or SSCC: weights 3, 1, 3 ... from the digit left of it."""
    if not (digits.isascii() and digits.isdigit()) or len(digits) < 2:
        return False
    total = sum(int(digit) * (3, 1)[i % 2] for i, digit in enumerate(reversed(digits[:-1])))
    return -total % 10 == int(digits[-1])


def full_year(two_digits: int, current_year: int) -> int:
    """The year within 49 back and 50 ahead of `current_year`."""
    difference = two_digits - current_year % 100
    century = current_year // 100
    if difference >= 51:
        century -= 1
    elif difference <= -50:
        century += 1
    return century * 100 + two_digits


def parse_date(digits: str, current_year: int) -> date | None:
    """YYMMDD; day 00 is the last of the month. None for what is no date."""
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    year, month, day = (int(digits[at : at + 2]) for at in (0, 2, 4))
    try:
        first = date(full_year(year, current_year), month, 1)
        return first.replace(day=day) if day else end_of_month(first)
    except ValueError:
        return None


def end_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
