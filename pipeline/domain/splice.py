"""Putting a stretch of history that was computed again between what lies before and after it.

A stay is an asset in one place (a room, a zone, a state of use). Stays of one `track` (the asset,
and whatever else may not overlap) follow each other. What the dataflow goes on with at the end of
the stretch is not known to the revision, so at that seam the present wins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from uuid import UUID, uuid5


@dataclass(frozen=True)
class Stay:
    """`end_us` None: it goes on. `revised`: the seam ended it. `said`: the id under which the new
    history knows it, where that is another."""

    id: UUID
    track: tuple[Hashable, ...]
    place: tuple[Hashable, ...]
    start_us: int
    end_us: int | None
    revised: bool = field(default=False, compare=False)
    said: UUID | None = field(default=None, compare=False)


def splice(
    old: Iterable[Stay], new: Iterable[Stay], until_us: int
) -> tuple[dict[UUID, Stay], set[UUID]]:
    """What the stays of a stretch that ends at `until_us` become, and the ids that go.

    `old` are all that the stretch may change: begun by `until_us`, and decided in it or still open
    when it began; and any that an earlier revision left to begin after it. `new` are those that
    take their place; one without end reaches the seam.
    """
    kept: dict[UUID, Stay] = {}
    known = list(old)
    before = [stay for stay in known if stay.start_us <= until_us]
    after: dict[tuple[Hashable, ...], Stay] = {}
    for stay in before:
        if stay.end_us is None or stay.end_us > until_us:
            after[stay.track] = stay
    present = {stay.id for stay in after.values()}
    present |= {stay.id for stay in known if stay.start_us > until_us}
    for stay in new:
        follower = after.get(stay.track)
        if stay.end_us is None and follower is not None and follower.place == stay.place:
            # The same stay: the id that the dataflow will end it by, the beginning of history.
            kept[follower.id] = replace(follower, start_us=stay.start_us, said=stay.id)
            del after[stay.track]
            continue
        # What the dataflow knows at the seam it will end by its id: history takes another.
        id_ = uuid5(stay.id, "history") if stay.id in present else stay.id
        if stay.end_us is not None:
            kept[id_] = replace(stay, id=id_, said=stay.id)
        elif stay.start_us < until_us:
            kept[id_] = replace(stay, id=id_, said=stay.id, end_us=until_us, revised=True)
    for stay in after.values():
        kept[stay.id] = replace(stay, start_us=max(stay.start_us, until_us))
    return kept, {stay.id for stay in before} - kept.keys()


def overlaps(stays: Iterable[Stay]) -> list[tuple[Stay, Stay]]:
    """Neighbours of one track that are in two places at once."""
    tracks: defaultdict[tuple[Hashable, ...], list[Stay]] = defaultdict(list)
    for stay in stays:
        tracks[stay.track].append(stay)
    found = []
    for line in tracks.values():
        line.sort(key=lambda stay: stay.start_us)
        for one, two in pairwise(line):
            if one.end_us is None or one.end_us > two.start_us:
                found.append((one, two))
    return found
