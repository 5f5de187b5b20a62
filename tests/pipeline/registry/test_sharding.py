from __future__ import annotations

import pytest

from pipeline.registry.sharding import Shard, slot

FACILITIES = [f"group{n % 3}/hospital-{n}" for n in range(600)]


def test_it_is_the_same_on_every_host_and_in_every_release() -> None:
    """Other numbers here would move facilities away from their state."""
    assert [slot(f, 8) for f in FACILITIES[:12]] == EXPECTED


EXPECTED = [0, 5, 7, 5, 0, 3, 7, 3, 6, 1, 0, 0]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 50])
def test_one_more_moves_few_and_only_to_the_new_one(count: int) -> None:
    moved = [f for f in FACILITIES if slot(f, count) != slot(f, count + 1)]
    assert {slot(f, count + 1) for f in moved} <= {count}
    fair = len(FACILITIES) / (count + 1)
    assert 0.6 * fair < len(moved) < 1.5 * fair


@pytest.mark.parametrize("partitions", [None, 12])
def test_each_facility_belongs_to_exactly_one(partitions: int | None) -> None:
    shards = [Shard(i, 5, partitions) for i in range(5)]
    for facility in FACILITIES:
        assert sum(shard.owns(facility) for shard in shards) == 1
    each = [sum(map(shard.owns, FACILITIES)) for shard in shards]
    assert min(each) > 60


def test_with_a_log_a_shard_owns_what_is_in_its_partitions() -> None:
    shard = Shard(1, 3, 8)
    assert shard.own_partitions == [1, 4, 7]
    for facility in FACILITIES:
        assert shard.owns(facility) == (slot(facility, 8) in (1, 4, 7))


def test_names() -> None:
    assert Shard.parse("0/3") == Shard(0, 3)
    assert (Shard(2, 3).name, Shard(2, 3).scheme) == ("shard-2-of-3", "of-3")
    assert (Shard(2, 3, 12).name, Shard(2, 3, 12).scheme) == ("shard-2-of-3-log-12", "of-3-log-12")


@pytest.mark.parametrize("text", ["3/3", "0/0", "0/9999", "1", "a/b", "-1/3", "0/3 ", "٠/3"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(ValueError, match="i/n"):
        Shard.parse(text)
