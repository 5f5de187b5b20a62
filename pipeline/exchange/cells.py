"""Text that a spreadsheet would run as a formula, made harmless and back again.

A cell that begins with one of `=+-@`, tab or carriage return is executed by the programs that open
CSV files. It is written with an apostrophe before it, which those programs take for "this is text";
reading takes the apostrophe off again, so that a file that was written here reads back unchanged.
"""

from __future__ import annotations

_DANGEROUS = "=+-@\t\r'"


def guard(text: str) -> str:
    return f"'{text}" if text[:1] and text[0] in _DANGEROUS else text


def unguard(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in _DANGEROUS else text
