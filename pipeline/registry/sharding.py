"""Which process works for which facility: a pure function of names, the same on every host.

Rendezvous hashing: each slot gets a score for the facility and the highest wins. A slot that is
added takes over only the facilities it wins, 1 in n + 1 on average, and none moves between the old
ones; the place of a facility depends on no other facility, so registering one moves nothing.
Facilities, not reads, are spread evenly: with 50 of them on 4 slots expect the fullest to hold
about 16. Choose n by the largest size planned; several shards may share a host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

MAX_SHARDS = 4096
_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


@lru_cache(maxsize=65_536)
def slot(facility: str, slots: int) -> int:
    """The slot, 0 to `slots` - 1, of a facility ("organization/facility")."""
    return max(range(slots), key=lambda i: blake2b(f"{i}:{facility}".encode()).digest())


@dataclass(frozen=True, slots=True)
class Shard:
    """The `index`-th of `count` processes, counted from 0.

    `partitions`: of the log that it reads from. A facility then belongs to a partition, and the
    partitions are dealt to the shards in turn; None: it reads from the broker.
    """

    index: int
    count: int
    partitions: int | None = None

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "i/n"; ValueError says what is wrong."""
        found = _SHARD.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r}: write i/n, such as 0/3 for the first of three shards")
        index, count = map(int, found.groups())
        if not 1 <= count <= MAX_SHARDS or index >= count:
            raise ValueError(f"{text!r}: in i/n, n is 1 to {MAX_SHARDS} and i is 0 to n - 1")
        return cls(index, count)

    @property
    def scheme(self) -> str:
        """What all shards that run at the same time must have in common."""
        return f"of-{self.count}" + (f"-log-{self.partitions}" if self.partitions else "")

    @property
    def name(self) -> str:
        """For folders and client ids: shard-0-of-3, shard-0-of-3-log-12."""
        return f"shard-{self.index}-{self.scheme}"

    def owns(self, facility: str) -> bool:
        if self.partitions is None:
            return slot(facility, self.count) == self.index
        return self.owns_partition(slot(facility, self.partitions))

    def owns_partition(self, partition: int) -> bool:
        return partition % self.count == self.index

    @property
    def own_partitions(self) -> list[int]:
        return [p for p in range(self.partitions or 0) if self.owns_partition(p)]
