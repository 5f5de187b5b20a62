"""Adds golden messages for what has none yet: python tests/pipeline/contracts/make_golden.py

A golden is a message as some release sent it. It is made once, from the examples of that day, and
never again: that is what `golden/v1/SHA256SUMS` is for.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.contracts.base import Message
from pipeline.contracts.codec import encode_batch, encode_json
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.reads import ReadBatch

GOLDEN = Path(__file__).parent / "golden" / "v1"


def encoded(message: Message) -> tuple[str, bytes]:
    """The ending of the file's name, and its content."""
    if isinstance(message, ReadBatch):
        return "msgpack", encode_batch(message)
    return "json", encode_json(message)


def main() -> None:
    for name, examples in EXAMPLES.items():
        for number, message in enumerate(examples, 1):
            ending, content = encoded(message)
            path = GOLDEN / f"{name}-{number}.{ending}"
            if path.exists():
                continue
            path.write_bytes(content)
            with (GOLDEN / "SHA256SUMS").open("a") as sums:
                sums.write(f"{hashlib.sha256(content).hexdigest()}  {path.name}\n")
            print(path.name)


if __name__ == "__main__":
    main()
