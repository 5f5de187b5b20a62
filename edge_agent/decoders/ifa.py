"""IFA labels (ISO/IEC 15434, format 06): a PPN and its lot, serial and dates.

`[)>` RS `06` GS `9N` PPN GS `1T` lot GS `D` expiry GS `S` serial GS `16D` production RS EOT; also
from `9N` on, as some scanners send it.
"""

from __future__ import annotations

import re

from edge_agent.decoders.readings import Frame

_ENVELOPE = re.compile(r"\[\)>\x1e0[56]\x1d(.*?)(?:\x1e(?:\x04)?)?", re.DOTALL)
_PPN = re.compile(r"[0-9A-Z]{2}[0-9A-Z.\-]{1,18}[0-9]{2}")
_FIELDS = (
    ("ppn", re.compile(r"9N([0-9A-Z.\-]{5,22})")),
    ("lot", re.compile(r"1T([!-~]{1,20})")),
    ("production_date", re.compile(r"16D([0-9]{8})")),
    ("expiry_date", re.compile(r"D([0-9]{6})")),
    ("serial", re.compile(r"S([!-~]{1,20})")),
)
"""Name -> identifier and value."""


def parse(text: str) -> Frame | None:
    """Names as above, dates as digits. None unless it holds a PPN; unknown identifiers are left."""
    match = _ENVELOPE.fullmatch(text)
    if match is None and not text.startswith("9N"):
        return None
    frame: Frame = {}
    for part in (match[1] if match else text).split("\x1d"):
        for name, pattern in _FIELDS:
            if (hit := pattern.fullmatch(part)) is not None:
                frame.setdefault(name, hit[1])
                break
    return frame if _PPN.fullmatch(frame.get("ppn", "")) else None


def check_ok(ppn: str) -> bool:
    """Last two digits: the sum of the character codes with weights 2, 3, 4 ... modulo 97."""
    total = sum(ord(character) * (2 + i) for i, character in enumerate(ppn[:-2]))
    return ppn[-2:].isdigit() and total % 97 == int(ppn[-2:])
