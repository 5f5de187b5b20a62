"""What the tests of the serial protocols share: published frames, and readers to talk to."""

import json
from pathlib import Path

import pytest

_SHARED = Path(__file__).parents[3] / "shared" / "protocols" / "vectors.json"


def row(name, hexadecimal, expect, *, to_reader=False, chunks=None):
    """A frame written into a test file; the shape is that of the published ones."""
    found = {"id": name, "hex": hexadecimal, "expect": expect}
    found["direction"] = "host_to_reader" if to_reader else "reader_to_host"
    return found | ({"chunks": chunks} if chunks else {})


def vectors(protocol, own):
    """Parameters: the frames in the test file, and all published ones where they are at hand."""
    if not _SHARED.is_file():
        missing = pytest.mark.skip(reason=f"the published frames are not here: {_SHARED.name}")
        published = [pytest.param(None, id="published", marks=missing)]
    else:
        rows = [v for v in json.loads(_SHARED.read_text()) if v["protocol"] == protocol]
        assert rows, protocol
        published = [pytest.param(v, id=v["id"]) for v in rows]
    return [*(pytest.param(v, id=v["id"]) for v in own), *published]


def matches(want, got):
    """Whether everything named in `want` is in `got`, numbers to a thousandth."""
    if isinstance(want, dict):
        return isinstance(got, dict) and all(
            key in got and matches(value, got[key]) for key, value in want.items()
        )
    if isinstance(want, float):
        return got == pytest.approx(want, rel=1e-3)
    return want == got


def check(vector, protocol):
    """One frame, by a row of registry_serial.PROTOCOLS: in its chunks and byte by byte."""
    to_reader = vector["direction"] == "host_to_reader"
    chunks = [bytes.fromhex(chunk) for chunk in vector.get("chunks", [vector["hex"]])]
    expected = vector["expect"].get("frames", [vector["expect"]])
    for pieces in (chunks, [bytes([byte]) for byte in b"".join(chunks)]):
        decoder = protocol.commands() if to_reader else protocol.decoder()
        frames = [frame for piece in pieces for frame in decoder.feed(piece)]
        assert len(frames) == len(expected), frames
        for want, got in zip(expected, frames, strict=True):
            assert matches(want, got), (want, got)


class Bench:
    """A host and a scripted reader in made-up time.

    `reader(command, now_s)` gives the bytes that it sends; it is called with b"" while nothing was
    asked. `sent`: (time, bytes) of what the host wrote; `items`: readings and events.
    """

    def __init__(self, host, reader, step_s=0.01):
        self.host, self.reader, self.step_s = host, reader, step_s
        self.now_s = 0.0
        self.sent, self.items = [], []
        self.silent = False

    def run(self, seconds):
        for _ in range(round(seconds / self.step_s)):
            command = self.host.send(self.now_s)
            if command:
                self.sent.append((self.now_s, command))
            said = b"" if self.silent else self.reader(command, self.now_s)
            if said:
                self.items += self.host.receive(said, self.now_s)
            self.items += self.host.events()
            self.now_s = round(self.now_s + self.step_s, 6)
        return self

    def names(self):
        """Names of the events."""
        return [item.name for item in self.items if not hasattr(item, "tag")]

    def tags(self):
        return [item.tag for item in self.items if hasattr(item, "tag")]
