"""UDI of medical devices: device identifier (DI) and production identifiers, with verdicts.

A DI with a wrong check digit is told as such and not refused: labels in use carry wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from edge_agent.decoders import gs1, hibc, ifa, udi_isbt

Issuer = Literal["GS1", "HIBCC", "ICCBBA", "IFA"]


@dataclass(frozen=True, slots=True)
class Udi:
    """Dates are ISO text. `carrier`: as scanned, without symbology identifier.

    `di_check_ok`: None where the issuer has no check digit. `warnings`: parts that were not
    understood, by name.
    """

    issuer: Issuer
    di: str
    carrier: str
    di_check_ok: bool | None
    lot: str | None = None
    serial: str | None = None
    expiry_date: str | None = None
    production_date: str | None = None
    warnings: tuple[str, ...] = ()


def parse(text: str, current_year: int, *, production_only: bool = False) -> Udi | None:
    """None for what carries no device identifier. `current_year` resolves two-digit years.

    `production_only`: text with nothing but production identifiers is understood too, its `di` is
    then empty. Labels with two codes carry them apart.
    """
    if text.startswith("+"):
        found = _hibc(text, current_year)
    elif text.startswith(("=", "&")):
        found = _isbt(text)
    elif text.startswith(("[)>", "9N")):
        found = _ifa(text, current_year)
    else:
        found = _gs1(text, current_year)
    return found if found and (found.di or production_only) else None


def _gs1(text: str, current_year: int) -> Udi | None:
    found = gs1.elements(text)
    if found is None or not {"01", "10", "11", "17", "21"} & found.keys():
        return None
    di = found.get("01", "")
    warnings = ["di"] if di and not gs1.check_digit_ok(di) else []
    dates: dict[str, str | None] = {}
    for name, ai in (("expiry_date", "17"), ("production_date", "11")):
        day = gs1.parse_date(found[ai], current_year) if ai in found else None
        dates[name] = day.isoformat() if day else None
        if ai in found and day is None:
            warnings.append(name)
    return Udi(
        "GS1",
        di,
        text,
        "di" not in warnings if di else None,
        lot=found.get("10"),
        serial=found.get("21"),
        warnings=tuple(warnings),
        **dates,
    )


def _hibc(text: str, current_year: int) -> Udi | None:
    frame = hibc.parse(text, current_year)
    if "labeler" not in frame and "link" not in frame:
        return None
    di = "".join(str(frame.get(part, "")) for part in ("labeler", "product", "unit_of_measure"))
    dates = ("expiry_date", "production_date")
    warnings = [name for name in dates if name in frame and frame[name] is None]
    return Udi(
        "HIBCC",
        di,
        text,
        frame["valid"] if di else None,
        lot=frame.get("lot") or None,
        serial=frame.get("serial") or None,
        expiry_date=frame.get("expiry_date"),
        production_date=frame.get("production_date"),
        warnings=tuple(warnings if frame["valid"] else ["di" if di else "production", *warnings]),
    )


def _isbt(text: str) -> Udi | None:
    frame = udi_isbt.parse(text)
    if frame is None:
        return None
    dates = ("expiry_date", "production_date")
    return Udi(
        "ICCBBA",
        frame.get("di", ""),
        text,
        None,
        lot=frame.get("lot"),
        serial=frame.get("serial"),
        expiry_date=frame.get("expiry_date"),
        production_date=frame.get("production_date"),
        warnings=tuple(name for name in dates if name in frame and frame[name] is None),
    )


def _ifa(text: str, current_year: int) -> Udi | None:
    frame = ifa.parse(text)
    if frame is None:
        return None
    dates: dict[str, str | None] = {}
    warnings = [] if ifa.check_ok(frame["ppn"]) else ["di"]
    for name in ("expiry_date", "production_date"):
        day = _digits_date(frame[name], current_year) if name in frame else None
        dates[name] = day.isoformat() if day else None
        if name in frame and day is None:
            warnings.append(name)
    return Udi(
        "IFA",
        frame["ppn"],
        text,
        "di" not in warnings,
        lot=frame.get("lot"),
        serial=frame.get("serial"),
        warnings=tuple(warnings),
        **dates,
    )


def _digits_date(digits: str, current_year: int) -> date | None:
    """YYMMDD (day 00: the last of the month) or YYYYMMDD."""
    if len(digits) == 6:
        return gs1.parse_date(digits, current_year)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
