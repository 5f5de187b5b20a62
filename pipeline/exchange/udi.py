"""UDI as the registry keeps it: what was scanned or typed becomes columns of an asset.

A label in use may be wrong, so a wrong check character is told (`udi_check_ok`, `udi_problem`) and
the identifier is kept; only what is no UDI at all is refused.
"""

from __future__ import annotations

import re
from typing import Any

from edge_agent.decoders import gs1, udi

WRONG_CHECK = "the check character is wrong"
UNKNOWN_ISSUER = "no issuer's form is recognised"
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_BARE_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_MAX_DI, _MAX_CARRIER = 100, 250
_PARTS = {"expiry_date": "the expiry date", "production_date": "the production date",
          "production": "the check character of the production data"}  # fmt: skip


def clean(text: str) -> str:
    """Without symbology identifier and blanks around; FNC1 as some tools write it becomes GS."""
    text = text.strip().replace("<GS>", gs1.GS).replace("{GS}", gs1.GS).replace("␝", gs1.GS)
    match = _AIM.match(text)
    return text[match.end() :] if match else text


def from_carrier(text: str, current_year: int) -> dict[str, Any]:
    """Columns of a label, or of a bare GTIN. Raises ValueError where there is no identifier."""
    if _BARE_GTIN.fullmatch(clean(text)):
        return from_device_identifier(text, current_year)
    if len(text) > _MAX_CARRIER:
        raise ValueError(f"{len(text)} characters; {_MAX_CARRIER} is the most")
    found = udi.parse(clean(text), current_year)
    if found is None:
        raise ValueError("no UDI of GS1, HIBCC, ICCBBA or IFA; its device identifier is missing")
    return _columns(found) | {"udi_carrier": text, "udi_pi": _production(clean(text), found)}


def from_device_identifier(text: str, current_year: int) -> dict[str, Any]:
    """Columns of a device identifier, bare or as a label. GTINs become 14 digits."""
    text = clean(text)
    if _BARE_GTIN.fullmatch(text):
        text = f"(01){text.zfill(14)}"
    found = udi.parse(text, current_year)
    if found is not None:
        columns = _columns(found)
        return {name: columns[name] for name in ("udi_issuer", "udi_di", "udi_check_ok",
                                                 "udi_problem")}  # fmt: skip
    if not re.fullmatch(rf"[!-~]{{1,{_MAX_DI}}}", text):
        raise ValueError(f"a device identifier has 1 to {_MAX_DI} printable characters")
    return {"udi_issuer": None, "udi_di": text, "udi_check_ok": None, "udi_problem": UNKNOWN_ISSUER}


def from_production_identifier(text: str, current_year: int) -> dict[str, Any]:
    """Columns of lot, serial and dates alone; what is not understood is kept as it is."""
    if len(text) > _MAX_DI:
        raise ValueError(f"{len(text)} characters; {_MAX_DI} is the most")
    found = udi.parse(clean(text), current_year, production_only=True)
    columns: dict[str, Any] = {"udi_pi": text}
    if found is not None:
        columns |= {name: value for name, value in _details(found).items() if value is not None}
    return columns


def _columns(found: udi.Udi) -> dict[str, Any]:
    problems = [WRONG_CHECK] if found.di_check_ok is False else []
    problems += [f"{_PARTS.get(name, name)} cannot be read" for name in found.warnings
                 if name != "di"]  # fmt: skip
    return {
        "udi_issuer": found.issuer,
        "udi_di": found.di,
        "udi_check_ok": found.di_check_ok,
        "udi_problem": "; ".join(problems) or None,
    } | _details(found)


def _details(found: udi.Udi) -> dict[str, Any]:
    return {
        "lot_number": found.lot,
        "manufactured_on": found.production_date,
        "expires_on": found.expiry_date,
    }


def _production(text: str, found: udi.Udi) -> str | None:
    """What follows the device identifier, for the forms in which it stands first."""
    for start in (f"(01){found.di}", f"01{found.di}", f"+{found.di}", f"=/{found.di}"):
        rest = text.removeprefix(gs1.GS).removeprefix(start)
        if rest != text.removeprefix(gs1.GS):
            return rest.lstrip("/" + gs1.GS)[:_MAX_DI] or None
    return None
