"""Tag names to assets, the lists of many messages at once.

A dictionary of a hundred thousand names costs 0.4 us a look-up: each waits for several places of
main memory, one after the other. Here all names are compared as arrays, which waits for all of them
together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.reads import are_tag_names
from pipeline.domain.floorplan import NOWHERE, Building

Numbers = NDArray[np.int32]
Words = NDArray[np.uint64]
Found = tuple[Numbers, list[int]]
_WORD = 8
_FACTORS = (
    np.frombuffer(b"".join(sha256(bytes([i])).digest()[:8] for i in range(64)), np.uint64) | 1
)
"""Of each word of a name; where a name lies in the table changes no result."""


class Names:
    """The tags of one version of a building, and its receivers by gateway and name.

    Names are rows of zero-padded words, in a table of two halves. Where a name lies in the first
    is taken from the high bits of its hash; if another lies there, from lower bits in the second;
    if there too, it is in a dictionary (3 in 1000). Memory: 300 bytes a tag of 16 characters.
    """

    def __init__(self, building: Building) -> None:
        self.version = building.version
        self.receivers: dict[str, dict[str, int]] = {}
        for index, (gateway, name) in enumerate(building.receivers.names):
            self.receivers.setdefault(gateway, {})[name] = index
        assets = dict(zip(building.tags, building.tag_asset.tolist(), strict=True))
        if not are_tag_names(list(assets)):  # what no message may say must not be found
            assets = {tag: asset for tag, asset in assets.items() if are_tag_names([tag])}
        # One more than the longest: what is cut off at the end cannot be a registered name.
        self._words = (max(map(len, assets), default=0) + 1 + _WORD - 1) // _WORD
        bits = max(4, (2 * len(assets)).bit_length())
        self._half, self._high = 1 << bits, np.uint64(64 - bits)
        self._middle = np.uint64(64 - 2 * bits)
        self._fill(list(assets), np.fromiter(assets.values(), np.int32, len(assets)))

    def words(self, tags: list[str]) -> Words:
        """(len(tags), words) the names as rows of the table.

        Raises TypeError or ValueError when something in the list is no text or cannot be a name.
        """
        if not tags:
            return np.zeros((0, self._words), dtype=np.uint64)
        text = "\n".join(tags).encode()
        if b"\0" in text:
            raise ValueError("a zero character")
        width, names = self._words * _WORD, len(tags)
        length = len(tags[0]) + 1
        ends = text[length - 1 :: length].count(b"\n")
        # Nearly always all are equally long, and need not be padded one by one.
        if len(text) + 1 != names * length or not ends == text.count(b"\n") == names - 1:
            return np.array(tags, dtype=f"S{width}").view(np.uint64).reshape(names, -1)
        kept = min(length - 1, width)
        rows = np.zeros((names, width), dtype=np.uint8)
        rows[:, :kept] = np.frombuffer(text + b"\n", np.uint8).reshape(names, length)[:, :kept]
        return rows.view(np.uint64)

    def find(self, lists: Sequence[tuple[Words, list[str]]]) -> Iterator[Found]:
        """For each list of names and its `words`: the asset index of each, NOWHERE for a stranger;
        and the places of the strangers."""
        words = np.concatenate([words for words, _ in lists])
        slot = self._slot(words)
        asset, rows = self._asset.take(slot), self._name.take(slot, axis=0)
        missed = None if np.array_equal(rows, words) else (rows != words).any(axis=1)
        end = 0
        for _, tags in lists:
            begin, end = end, end + len(tags)
            found, strangers = asset[begin:end], []
            if missed is not None:
                for i in np.flatnonzero(missed[begin:end]).tolist():
                    found[i] = self._displaced.get(tags[i], NOWHERE)
                    if found[i] == NOWHERE:
                        strangers.append(i)
            yield found, strangers

    def _fill(self, tags: list[str], assets: Numbers) -> None:
        slots, words = 2 * self._half, self.words(tags)
        self._hash = np.zeros(slots, dtype=np.uint64)
        self._name = np.full((slots, self._words), 2**64 - 1, dtype=np.uint64)  # that is no text
        self._asset = np.full(slots, NOWHERE, dtype=np.int32)
        hashes, waiting = self._hashes(words), np.arange(len(tags))
        for slot in self._slots(hashes):
            _, first = np.unique(slot[waiting], return_index=True)
            placed = waiting[first]
            at = slot[placed]
            self._hash[at], self._name[at] = hashes[placed], words[placed]
            self._asset[at] = assets[placed]
            waiting = np.delete(waiting, first)
        found = self._name[self._slot(words)]
        lost = np.flatnonzero((found != words).any(axis=1)).tolist()
        self._displaced = {tags[i]: int(assets[i]) for i in lost}

    def _hashes(self, words: Words) -> Words:
        return words @ _FACTORS[: self._words]

    def _slots(self, hashes: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first = (hashes >> self._high).view(np.int64)
        second = (hashes >> self._middle).view(np.int64) & self._half - 1
        return first, second + self._half

    def _slot(self, words: Words) -> NDArray[np.int64]:
        hashes = self._hashes(words)
        first, second = self._slots(hashes)
        return np.where(self._hash.take(first) == hashes, first, second)
