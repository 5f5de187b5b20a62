"""UDI of medical devices: device identifier (DI) and production identifiers, with verdicts.

A DI with a wrong check digit is told as such and not refused: labels in use carry wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_agent.decoders import gs1, hibc, udi_isbt

Issuer = Literal["GS1", "HIBCC", "ICCBBA"]


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


def parse(text: str, current_year: int) -> Udi | None:
    """None for what carries no device identifier. `current_year` resolves two-digit years."""
    if text.startswith("+"):
        return _hibc(text, current_year)
    if text.startswith("=/"):
        return _isbt(text)
    return _gs1(text, current_year)


def _gs1(text: str, current_year: int) -> Udi | None:
    found = gs1.elements(text)
    if found is None or "01" not in found:
        return None
    warnings = [] if gs1.check_digit_ok(found["01"]) else ["di"]
    dates: dict[str, str | None] = {}
    for name, ai in (("expiry_date", "17"), ("production_date", "11")):
        day = gs1.parse_date(found[ai], current_year) if ai in found else None
        dates[name] = day.isoformat() if day else None
        if ai in found and day is None:
            warnings.append(name)
    return Udi(
        "GS1",
        found["01"],
        text,
        "di" not in warnings,
        lot=found.get("10"),
        serial=found.get("21"),
        warnings=tuple(warnings),
        **dates,
    )


def _hibc(text: str, current_year: int) -> Udi | None:
    frame = hibc.parse(text, current_year)
    if "labeler" not in frame:
        return None
    di = f"{frame['labeler']}{frame['product']}{frame['unit_of_measure']}"
    dates = ("expiry_date", "production_date")
    warnings = [name for name in dates if name in frame and frame[name] is None]
    return Udi(
        "HIBCC",
        di,
        text,
        frame["valid"],
        lot=frame.get("lot") or None,
        serial=frame.get("serial") or None,
        expiry_date=frame.get("expiry_date"),
        production_date=frame.get("production_date"),
        warnings=tuple(warnings if frame["valid"] else ["di", *warnings]),
    )


def _isbt(text: str) -> Udi | None:
    frame = udi_isbt.parse(text)
    if frame is None:
        return None
    dates = ("expiry_date", "production_date")
    return Udi(
        "ICCBBA",
        frame["di"],
        text,
        None,
        lot=frame.get("lot"),
        serial=frame.get("serial"),
        expiry_date=frame.get("expiry_date"),
        production_date=frame.get("production_date"),
        warnings=tuple(name for name in dates if name in frame and frame[name] is None),
    )
