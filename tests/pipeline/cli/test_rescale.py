"""Recovery state carried from one number of shards to another, through the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.errors import CliError
from pipeline.cli.recovery import RESCALING, directory_of, stores
from pipeline.cli.rescale import Remembered, _run, read_store, rescale, write_store
from pipeline.registry.sharding import Shard, slot

KEYS = [f"acme/h{n}/main" for n in range(20)] + ["acme/h0/annex"]


def state(key: str) -> dict[str, Any]:
    return {"building": key, "version": 1, "payload": key.encode() * 3, "windows": {5: [b"x"]}}


def fill(root: Path, shards: list[Shard], offsets: dict[int, int] | None = None) -> None:
    for shard in shards:
        mine = {key: state(key) for key in KEYS if shard.owns(key.rpartition("/")[0])}
        own = {p: o for p, o in (offsets or {}).items() if shard.owns_partition(p)}
        part = "log" if shard.partitions else "broker"
        write_store(root / shard.name, Remembered(mine, own), part)


def everything(root: Path) -> dict[str, dict[str, Any]]:
    """Shard -> what it would remember."""
    (found,) = stores(root).values()
    return {folder.name: read_store(folder).buildings for folder in found.values()}


@pytest.mark.parametrize(("before", "after"), [(3, 4), (4, 2), (1, 5)])
def test_every_building_goes_to_its_new_shard_unchanged(
    tmp_path: Path, before: int, after: int
) -> None:
    fill(tmp_path, [Shard(i, before) for i in range(before)])
    done = rescale(tmp_path, after)
    found = everything(tmp_path)
    assert set(found) == {f"shard-{i}-of-{after}" for i in range(after)}
    for key in KEYS:
        home = f"shard-{slot(key.rpartition('/')[0], after)}-of-{after}"
        assert [n for n, states in found.items() if key in states] == [home]
        assert found[home][key] == state(key)
    assert sorted(k for keys in done.moved.values() for k in keys) == sorted(KEYS)
    assert len(list(done.kept.iterdir())) == before


def test_from_one_process_for_everything(tmp_path: Path) -> None:
    write_store(tmp_path, Remembered({key: state(key) for key in KEYS}))
    rescale(tmp_path, 2)
    assert sum(len(states) for states in everything(tmp_path).values()) == len(KEYS)
    assert directory_of(tmp_path, Shard(0, 2)) == tmp_path / "shard-0-of-2"


def test_offsets_go_with_their_partitions(tmp_path: Path) -> None:
    offsets = {p: 100 + p for p in range(8)}
    fill(tmp_path, [Shard(i, 2, 8) for i in range(2)], offsets)
    rescale(tmp_path, 3, 8)
    (found,) = stores(tmp_path).values()
    assert {i: read_store(folder).offsets for i, folder in found.items()} == {
        i: {p: o for p, o in offsets.items() if p % 3 == i} for i in range(3)
    }


@pytest.mark.parametrize(("before", "after"), [(None, 8), (8, None)])
def test_between_broker_and_log(tmp_path: Path, before: int | None, after: int | None) -> None:
    """The flow resumes only with the part that its source has."""
    fill(tmp_path, [Shard(i, 2, before) for i in range(2)])
    rescale(tmp_path, 2, after)
    (found,) = stores(tmp_path).values()
    part = "log" if after else "broker"
    for folder in found.values():
        remembered = Remembered()
        _run(folder, remembered, [part], [])
        assert set(remembered.buildings) == {
            key for key in KEYS if Shard(int(folder.name[6]), 2, after).owns(key.rpartition("/")[0])
        }


def test_another_number_of_shards_is_refused_with_the_way_out(tmp_path: Path) -> None:
    fill(tmp_path, [Shard(i, 3) for i in range(3)])
    assert directory_of(tmp_path, Shard(1, 3)) == tmp_path / "shard-1-of-3"
    for other in (Shard(1, 4), Shard(1, 3, 8), None):
        with pytest.raises(CliError, match=r"shard-0-of-3.*biotrakr shards rescale"):
            directory_of(tmp_path, other)


def test_a_missing_shard_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    fill(tmp_path, [Shard(0, 3), Shard(2, 3)])
    with pytest.raises(CliError, match=r"shard-1-of-3 missing"):
        rescale(tmp_path, 4)
    assert set(everything(tmp_path)) == {"shard-0-of-3", "shard-2-of-3"}


def test_nothing_to_rescale(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="holds no state"):
        rescale(tmp_path, 4)
    fill(tmp_path, [Shard(0, 1)])
    with pytest.raises(CliError, match="already holds"):
        rescale(tmp_path, 1)


@pytest.mark.parametrize("renames", range(6))
def test_an_interrupted_rescale_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    fill(tmp_path, [Shard(i, 2) for i in range(2)])
    real, left = Path.rename, [renames]

    def rename(self: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        if renames < 5:
            with pytest.raises(KeyboardInterrupt):
                rescale(tmp_path, 3)
            assert (tmp_path / RESCALING).exists()
            with pytest.raises(CliError, match="interrupted"):
                directory_of(tmp_path, Shard(0, 3))
        else:
            rescale(tmp_path, 3)
    if renames < 5:
        rescale(tmp_path, 3)
    found = everything(tmp_path)
    assert set(found) == {f"shard-{i}-of-3" for i in range(3)}
    assert sorted(key for states in found.values() for key in states) == sorted(KEYS)
    assert not (tmp_path / RESCALING).exists()
