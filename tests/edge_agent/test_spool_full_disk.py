"""A disk that the spool itself has filled: what is acknowledged makes room again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fault_injection.disks import Disks, NoDisksError

_FILL_AND_EMPTY = """
import sys
from edge_agent.errors import SpoolError
from edge_agent.spool import Spool

class Draft:
    reads, until_us, anchor_us, synchronised = [1], 5, None, True
    def encode(self, *_):
        return b"x" * 2000

spool, stored = Spool(sys.argv[1]), 0
try:
    while True:
        spool.append([Draft()])
        stored += 1
except SpoolError as error:
    assert "full" in str(error), error
assert stored > 100, stored
deleted = sum(spool.acknowledge(spool.boot, n) for n in (1, stored // 2, stored))
assert deleted == stored, (deleted, stored)
assert spool.depth().batches == 0
spool.append([Draft()])
"""


def test_a_spool_that_fills_its_disk_can_become_smaller_again(tmp_path: Path) -> None:
    """Deleting needs room as well."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        disks = Disks({folder: 16 << 20})
    except NoDisksError as error:
        pytest.skip(f"no disk of its own can be had here: {error}")
    try:
        command = [*disks.prefix, sys.executable, "-c", _FILL_AND_EMPTY, str(folder / "spool")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    finally:
        disks.close()
    assert done.returncode == 0, done.stderr
