"""50 000 lines, of which one in a hundred is bad."""

from __future__ import annotations

import csv
import time

import pytest
from equipment_list import HEADER, line, run

LINES = 50_000
BAD = (
    {"Acquisition Cost": "twelve"},
    {"Acquisition Date": "2024-02-30"},
    {"Dept": "nowhere"},
    {"UDI": "(21)1"},
    {"Serial No.": ""},
)


@pytest.mark.long
def test_the_good_lines_are_in_and_each_bad_one_is_named(registry):
    """The aim is a minute; a machine that does other things too may take more."""
    rows = [
        line(f"A-{i}", **(BAD[i // 100 % len(BAD)] if i % 100 == 7 else {})) for i in range(LINES)
    ]
    path, errors = registry.write(HEADER, *rows), registry.path / "errors.csv"
    began = time.monotonic()
    said = run(registry, path, "--errors", errors)
    seconds = time.monotonic() - began
    assert said.out.startswith(f"{LINES * 99 // 100} new, 0 changed, 0 as before")
    with errors.open(encoding="utf-8", newline="") as file:
        told = [int(row["line"]) for row in csv.DictReader(file)]
    assert told == [i + 2 for i in range(LINES) if i % 100 == 7]
    print(f"{LINES} lines in {seconds:.1f} s")
    assert seconds < 300
