"""Carry the recovery state of n shards over to m, exactly, with the engine's own means.

A small flow with the step names of the real one resumes from a copy of each old store and notes
what it is given; another one, in each new store, remembers what that shard will need. Nothing here
knows the format of the engine's files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from typing_extensions import override

from pipeline.cli.errors import CliError
from pipeline.cli.recovery import ALONE, RESCALING, make_store, stores
from pipeline.registry.sharding import Shard
from pipeline.sources.kafka_record import LOG_PART
from pipeline.sources.mqtt import BROKER_PART

_COMPLETE = "complete"
_STORE_FILES = "part-*.sqlite3*"


@dataclass
class Remembered:
    """Building key -> its state; partition of the log -> the next offset."""

    buildings: dict[str, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rescaled:
    before: str
    moved: dict[str, list[str]]
    """New shard -> keys of its buildings."""
    kept: Path
    """Where the old stores lie now."""


def rescale(root: Path, count: int, partitions: int | None = None) -> Rescaled:
    """Replace the stores in `root` by those of `count` shards. No process may be using them.

    An interrupted run is finished by the next. Raises CliError when something is missing.
    """
    work = root / RESCALING
    if not (work / _COMPLETE).exists():
        shutil.rmtree(work, ignore_errors=True)
        _prepare(root, work, [Shard(i, count, partitions) for i in range(count)])
    before, scheme = (work / _COMPLETE).read_text().split()
    if scheme != Shard(0, count, partitions).scheme:
        raise CliError(f"{work}: an interrupted rescale to {scheme} has to be finished first")
    kept = root / f"rescaled-from-{before}"
    kept.mkdir(exist_ok=True)
    for folder in stores(root).get(before, {}).values():
        if folder == root:
            for file in root.glob(_STORE_FILES):
                file.rename(kept / file.name)
        else:
            folder.rename(kept / folder.name)
    moved = {}
    for folder in sorted(path for path in work.iterdir() if path.is_dir()):
        folder.rename(root / folder.name)
    for index, folder in sorted(stores(root)[scheme].items()):
        moved[f"{index}/{count}"] = sorted(read_store(folder).buildings)
    shutil.rmtree(work)
    return Rescaled(before, moved, kept)


def _prepare(root: Path, work: Path, shards: list[Shard]) -> None:
    """Write the new stores under `work` and mark them as complete."""
    before, folders = _only_scheme(root)
    if before == shards[0].scheme:
        raise CliError(f"{root} already holds the state of shards {before}")
    if (root / f"rescaled-from-{before}").exists():
        raise CliError(f"{root / f'rescaled-from-{before}'} is in the way: move it elsewhere")
    merged = _merge(read_store(folder) for folder in folders)
    for shard in shards:
        mine = Remembered(
            {k: v for k, v in merged.buildings.items() if shard.owns(k.rpartition("/")[0])},
            {p: o for p, o in merged.offsets.items() if shard.owns_partition(p)},
        )
        part = BROKER_PART if shard.partitions is None else LOG_PART
        write_store(work / shard.name, mine, part)
    (work / _COMPLETE).write_text(f"{before} {shards[0].scheme}")


def _only_scheme(root: Path) -> tuple[str, list[Path]]:
    found = stores(root)
    if len(found) != 1:
        what = ", ".join(found) if found else "no state"
        raise CliError(f"{root} holds {what}; rescale needs the state of exactly one division")
    ((scheme, folders),) = found.items()
    wanted = 1 if scheme == ALONE else int(scheme.split("-")[1])
    missing = sorted(set(range(wanted)) - set(folders))
    if missing:
        names = ", ".join(f"shard-{i}-{scheme}" for i in missing)
        raise CliError(f"{root}: {names} missing; bring the folders of all shards together here")
    return scheme, [folders[i] for i in range(wanted)]


def _merge(parts: Iterable[Remembered]) -> Remembered:
    merged = Remembered()
    for part in parts:
        twice = sorted(merged.buildings.keys() & part.buildings.keys())
        if twice:
            raise CliError(f"two shards hold state of {', '.join(twice)}; nothing was changed")
        merged.buildings |= part.buildings
        merged.offsets |= part.offsets
    return merged


def read_store(folder: Path) -> Remembered:
    """What a store would give back; works on a copy."""
    remembered = Remembered()
    with TemporaryDirectory() as copy:
        for file in folder.glob(_STORE_FILES):
            shutil.copy2(file, copy)
        _run(Path(copy), remembered, [BROKER_PART, LOG_PART], [])
    return remembered


def write_store(folder: Path, remembered: Remembered, part: str = BROKER_PART) -> None:
    """Make a new store that gives `remembered` back to a flow with this part of a source.

    The engine refuses to resume with a part that the flow's source does not have.
    """
    _run(folder, remembered, [part], list(remembered.buildings.items()))


def _run(
    store: Path, remembered: Remembered, parts: list[str], items: list[tuple[str, Any]]
) -> None:
    # The step names are those of pipeline.flow.dataflow.
    flow = Dataflow("biotrakr")
    messages = op.input("messages", flow, _Source(remembered, parts, items))
    tracked = op.stateful_batch("track", messages, lambda state: _Logic(state, remembered))
    op.output("store", tracked, _Sink())
    cli_main(  # type: ignore[no-untyped-call]
        flow, epoch_interval=timedelta(hours=1), recovery_config=make_store(store)
    )


class _Source(FixedPartitionedSource[Any, Any]):
    def __init__(
        self, remembered: Remembered, parts: list[str], items: list[tuple[str, Any]]
    ) -> None:
        self._remembered, self._parts, self._items = remembered, parts, items

    @override
    def list_parts(self) -> list[str]:
        return self._parts

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> _Part:
        if for_part == BROKER_PART:
            return _Part(self._items, None)
        self._remembered.offsets.update(resume_state or {})
        return _Part(self._items, self._remembered.offsets)


class _Part(StatefulSourcePartition[Any, Any]):
    def __init__(self, items: list[tuple[str, Any]], state: Any) -> None:
        self._batches, self._state = iter([items] if items else []), state

    @override
    def next_batch(self) -> list[Any]:
        return next(self._batches)  # StopIteration ends the flow

    @override
    def snapshot(self) -> Any:
        return self._state


class _Logic(StatefulBatchLogic[Any, Any, Any]):
    def __init__(self, state: dict[str, Any] | None, remembered: Remembered) -> None:
        self._state = state
        if state is not None:
            remembered.buildings[state["building"]] = state

    @override
    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        self._state = values[-1]
        return [], StatefulBatchLogic.RETAIN

    @override
    def snapshot(self) -> Any:
        return self._state


class _Sink(FixedPartitionedSink[Any, Any]):
    @override
    def list_parts(self) -> list[str]:
        return ["database"]

    @override
    def part_fn(self, item_key: str) -> int:
        return 0

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> _SinkPart:
        return _SinkPart()


class _SinkPart(StatefulSinkPartition[Any, Any]):
    @override
    def write_batch(self, values: list[Any]) -> None:
        """Nothing arrives."""

    @override
    def snapshot(self) -> None:
        return None
