"""ISBT 128 (ICCBBA) compound message of a UDI: `=/` device, `=,` serial, `=>` expiry and others.

Blood containers: `=)` maker and catalogue number, `&)` lot.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from edge_agent.decoders.readings import Frame

_FIELDS = (
    ("di", re.compile(r"=/([A-Z0-9]{16})")),
    ("serial", re.compile(r"=,([A-Z0-9]{6})")),
    ("expiry_date", re.compile(r"=>([0-9]{6})")),
    ("production_date", re.compile(r"=\}([0-9]{6})")),
    ("lot", re.compile(r"&,1([A-Z0-9]{18})")),
    ("di", re.compile(r"=\)([A-Z0-9]{10})")),
    ("lot", re.compile(r"&\)([A-Z0-9]{10})")),
    ("donation", re.compile(r"=([A-NP-Z1-9][A-Z0-9]{14})")),
)
"""Each data structure has a fixed length, so none needs a separator."""
_DATES = {"expiry_date", "production_date"}


def parse(text: str) -> Frame | None:
    """Names as in udi.Udi, dates in ISO form. None unless the whole text is understood.

    A device alone, its production data alone, or both.
    """
    frame: Frame = {}
    at = 0
    while at < len(text):
        hits = ((name, pattern.match(text, at)) for name, pattern in _FIELDS)
        name, match = next(((name, hit) for name, hit in hits if hit), ("", None))
        if match is None:
            return None
        frame[name] = _date(match[1]) if name in _DATES else match[1]
        at = match.end()
    return frame or None


def _date(digits: str) -> str | None:
    """cYYJJJ: century (0 = 2000, 9 = 1900), year, day of the year."""
    year = int(digits[1:3]) + (1900 if digits[0] == "9" else 2000 + 100 * int(digits[0]))
    number = int(digits[3:])
    day = date(year, 1, 1) + timedelta(days=number - 1)
    return day.isoformat() if number and day.year == year else None
