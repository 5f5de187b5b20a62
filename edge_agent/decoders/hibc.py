"""HIBC (Health Industry Bar Code): primary `+...`, secondary `+$...`, or both joined by `/`.

A wrong check character is told, never refused: samples of authorities carry wrong ones. From the
public description of the standard; the date flags of secondary data are not tried on real labels.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from edge_agent.decoders.gs1 import end_of_month, full_year
from edge_agent.decoders.readings import Frame

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_PRIMARY = re.compile(r"([A-Z][A-Z0-9]{3})([A-Z0-9]{1,18})([0-9])")
_QUANTITY_DIGITS = {"8": 2, "9": 5}
_DATE_FORMS = {"2": "MMDDYY", "3": "YYMMDD", "4": "YYMMDDHH", "5": "YYJJJ", "6": "YYJJJHH", "7": ""}
"""Date flag -> form; 0 and 1 are the month itself (MMYY)."""


def check_character(text: str) -> str | None:
    """The character that makes `text`, from its `+` on, complete; None outside the alphabet."""
    if any(character not in _ALPHABET for character in text):
        return None
    return _ALPHABET[sum(_ALPHABET.index(character) for character in text) % len(_ALPHABET)]


def parse(text: str, current_year: int | None = None) -> Frame:
    """`valid`: it is HIBC and its check character is right. Fields as far as they were found.

    Dates (ISO) need `current_year`, because labels carry two digits of the year.
    """
    body, check = text[:-1], text[-1:]
    expected = check_character(body)
    frame: Frame = {"valid": len(body) > 1 and body[0] == "+" and check == expected}
    if expected is None or not body.startswith("+"):
        return frame | {"valid": False}
    if body.startswith("+$"):
        return frame | {"link": body[-1:]} | _secondary(body[1:-1], current_year)
    primary, *parts = body[1:].split("/")
    match = _PRIMARY.fullmatch(primary)
    if match is None:
        return frame | {"valid": False}
    frame |= {"labeler": match[1], "product": match[2], "unit_of_measure": int(match[3])}
    for part in parts:
        frame |= _secondary(part, current_year)
    return frame


def _secondary(part: str, current_year: int | None) -> Frame:
    """One part of the production data."""
    if part.startswith("$$"):
        return _dated(part[2:], current_year)
    if part.startswith("$"):
        return {"serial": part[2:]} if part[1:2] == "+" else {"lot": part[1:]}
    if part.startswith(("16D", "14D")):
        name = "production_date" if part[:2] == "16" else "expiry_date"
        return {name: _eight_digits(part[3:])}
    if part.startswith("S"):
        return {"serial": part[1:]}
    if part.startswith("Q") and part[1:].isdigit():
        return {"quantity": int(part[1:])}
    return {}


def _dated(rest: str, current_year: int | None) -> Frame:
    """After `$$`: `+` for a serial instead of a lot, a quantity, a date, then the lot or serial."""
    name = "lot"
    if rest.startswith("+"):
        name, rest = "serial", rest[1:]
    frame: Frame = {}
    if (digits := _QUANTITY_DIGITS.get(rest[:1])) and rest[1 : 1 + digits].isdigit():
        frame["quantity"] = int(rest[1 : 1 + digits])
        rest = rest[1 + digits :]
    form = "MMYY" if rest[:1] in ("0", "1") else _DATE_FORMS.get(rest[:1])
    if form is None:
        return frame | {name: rest}
    if form != "MMYY":
        rest = rest[1:]
    value = rest[: len(form)]
    if len(value) < len(form) or not (value + "0").isdigit():
        return frame | {name: rest}
    if form:
        frame["expiry"] = value
        frame["expiry_date"] = _date(value, form, current_year)
    return frame | {name: rest[len(form) :]}


def _date(digits: str, form: str, current_year: int | None) -> str | None:
    """ISO date, or None without a year to compare with and for what is no date."""
    if current_year is None:
        return None
    fields: dict[str, Any] = {
        letter: int(digits[form.index(letter) : form.rindex(letter) + 1]) for letter in set(form)
    }
    year = full_year(fields["Y"], current_year)
    try:
        if "J" in fields:
            day = date(year, 1, 1) + timedelta(days=fields["J"] - 1)
            return day.isoformat() if fields["J"] and day.year == year else None
        first = date(year, fields["M"], 1)
        return (
            first.replace(day=fields["D"]) if "D" in fields else end_of_month(first)
        ).isoformat()
    except ValueError:
        return None


def _eight_digits(text: str) -> str | None:
    """YYYYMMDD as ISO date."""
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
    except ValueError:
        return None
