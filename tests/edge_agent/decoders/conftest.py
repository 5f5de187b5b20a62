"""Test vectors: frames with what a decoder must make of them."""

import json
from pathlib import Path

import pytest

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())


def pytest_generate_tests(metafunc):
    """A test that takes `vector` names its protocols: `PROTOCOL = "m100"` in its module."""
    if "vector" in metafunc.fixturenames:
        wanted = metafunc.module.PROTOCOL
        rows = [v for v in VECTORS if v["protocol"].startswith(wanted)]
        assert rows
        metafunc.parametrize("vector", rows, ids=[row["id"] for row in rows])


def _contains(expected, got):
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(
            key in got and _contains(value, got[key]) for key, value in expected.items()
        )
    if isinstance(expected, float):
        return got == pytest.approx(expected, rel=1e-3)
    return expected == got


@pytest.fixture
def contains():
    """`contains(expected, got)`: every key named in `expected` is there with that value."""
    return _contains


@pytest.fixture
def check_stream():
    """Feed a vector to a fresh decoder, in its chunks and byte by byte, and compare the frames."""

    def check(vector, new_decoder):
        whole = bytes.fromhex(vector["hex"])
        chunks = [bytes.fromhex(chunk) for chunk in vector.get("chunks", [vector["hex"]])]
        expected = vector["expect"].get("frames", [vector["expect"]])
        for pieces in (chunks, [bytes([byte]) for byte in whole]):
            decoder = new_decoder()
            frames = [frame for piece in pieces for frame in decoder.feed(piece)]
            assert len(frames) == len(expected), frames
            for want, got in zip(expected, frames, strict=True):
                assert _contains(want, got), (want, got)

    return check
