"""The emulators understand every published command, and build every published answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.simulation import m100, r2000
from pipeline.simulation.portals import Echo

VECTORS = Path(__file__).parents[4] / "shared" / "protocols" / "vectors.json"


@pytest.fixture(scope="module")
def vectors():
    if not VECTORS.is_file():
        pytest.skip(f"the published frames are not here: {VECTORS.name}")
    return json.loads(VECTORS.read_text())


def of(vectors, protocol, direction):
    found = [v for v in vectors if (v["protocol"], v.get("direction")) == (protocol, direction)]
    found = [v for v in found if v["kind"] in ("command", "valid") and v["checksum_verified"]]
    assert found
    return found


def test_the_r2000_understands_the_commands(vectors):
    for vector in of(vectors, "r2000_a0", "host_to_reader"):
        board = r2000.R2000Reader(lambda _antenna, _at: [])
        answer = board.feed(bytes.fromhex(vector["hex"]), 0) or board.due(10**6)
        assert answer[3] == vector["expect"]["command"], vector["id"]
        assert board.rejected_bytes == 0


def test_the_m100_understands_the_commands(vectors):
    for vector in of(vectors, "m100", "host_to_reader"):
        module = m100.M100Reader(lambda _antenna, _at: [Echo(bytes(12), -50)])
        answer = module.feed(bytes.fromhex(vector["hex"]), 0) or module.due(10**6)
        assert answer[1] in (m100.ANSWER, m100.NOTICE), vector["id"]
        assert answer[2] in (vector["expect"]["command"], 0x22)
        assert module.rejected_bytes == 0


def test_r2000_frames_are_built_like_the_published_ones(vectors):
    for vector in of(vectors, "r2000_a0", "reader_to_host"):
        data = bytes.fromhex(vector["hex"])
        assert r2000.frame(data[3], data[4:-1], data[2]) == data, vector["id"]


def test_m100_frames_are_built_like_the_published_ones(vectors):
    for vector in of(vectors, "m100", "reader_to_host"):
        data = bytes.fromhex(vector["hex"])
        size = int.from_bytes(data[3:5], "big") + 7
        if len(data) == size:
            assert m100.frame(data[1], data[2], data[5:-2], data[0]) == data, vector["id"]
