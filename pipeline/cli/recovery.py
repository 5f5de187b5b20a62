"""Recovery directories: where a process goes on after a restart, one folder a shard.

`recovery/` itself is the store of a process that works alone; `recovery/shard-0-of-3/` is one of
three. State belongs to the facilities of its process, so another number of shards may not start
beside it: `biotrakr shards rescale` carries it over.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path

from bytewax.recovery import RecoveryConfig, init_db_dir

from pipeline.cli.errors import CliError
from pipeline.registry.sharding import Shard

ALONE = "all"
RESCALING = "rescaling"
"""Work of `biotrakr shards rescale` that is not finished."""
_SHARD = re.compile(r"shard-(\d+)-of-(\d+)(?:-log-(\d+))?")
_STORE = "part-*.sqlite3"


def directory_of(root: Path, shard: Shard | None) -> Path:
    """Where the shard's store lies; None: the process works alone or for chosen facilities.

    Raises CliError when `root` holds the state of another division.
    """
    if (root / RESCALING).exists():
        raise CliError(f"{root / RESCALING}: interrupted: run `biotrakr shards rescale` again")
    mine = shard.scheme if shard else ALONE
    others = {scheme: folders for scheme, folders in stores(root).items() if scheme != mine}
    if others:
        held = ", ".join(sorted(f.name for folders in others.values() for f in folders.values()))
        me = shard.name if shard else "one process for everything"
        raise CliError(
            f"recovery_directory: {root} holds the state of {held}, but this is {me}. To go on "
            "with that state: stop every pipeline process, run `biotrakr shards rescale`, start "
            "all of them with the new number. To start without it, name another directory: then "
            "open visits, sessions and alerts are ended, and reads of open windows are missing"
        )
    return root / shard.name if shard else root


def stores(root: Path) -> dict[str, dict[int, Path]]:
    """Scheme ("all", "of-3", "of-3-log-12") -> index of the shard -> folder of its store."""
    found: dict[str, dict[int, Path]] = defaultdict(dict)
    if is_store(root):
        found[ALONE][0] = root
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        shard = parse_name(folder.name)
        if shard is not None and is_store(folder):
            found[shard.scheme][shard.index] = folder
    return dict(found)


def parse_name(name: str) -> Shard | None:
    """The reverse of Shard.name."""
    match = _SHARD.fullmatch(name)
    if match is None:
        return None
    index, count, partitions = match.groups()
    return Shard(int(index), int(count), int(partitions) if partitions else None)


def is_store(folder: Path) -> bool:
    return any(folder.glob(_STORE))


def make_store(folder: Path) -> RecoveryConfig:
    """The engine's store in `folder`; made when there is none. Raises CliError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not is_store(folder):
            _make(folder)
    except OSError as error:
        raise CliError(f"recovery_directory: {folder} cannot be used: {error}") from None
    return RecoveryConfig(folder)  # type: ignore[no-untyped-call]


def _make(folder: Path) -> None:
    """Elsewhere first, then renamed: a half-made store would look like one, and never open."""
    draft = folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    init_db_dir(draft, 1)  # type: ignore[no-untyped-call]
    for part in draft.iterdir():
        part.replace(folder / part.name)
    draft.rmdir()
