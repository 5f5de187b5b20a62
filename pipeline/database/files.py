"""The files under `sql/`: where they lie, what they are, and the directives in their heads.

A file may open with comment lines of the form `-- key: value`:

| directive                          | meaning                                                     |
|------------------------------------|-------------------------------------------------------------|
| `role: owner` (the default)        | runs as biotrakr_owner                                      |
| `role: session`                    | runs as whoever connected, normally a superuser             |
| `requires: timescaledb community`  | left out on the Apache edition and offered again next time  |
| `transaction: none`                | for one statement that cannot stand in a transaction        |
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import pipeline
from pipeline.database.errors import SqlFileError
from pipeline.database.views import in_order

Kind = Literal["migration", "function", "feature", "view"]
FOLDERS: dict[Kind, str] = {
    "migration": "migrations",
    "function": "functions",
    "feature": "features",
    "view": "views",
}
FROZEN = "migrations/frozen.sha256"
"""Hashes of the released migrations, as `sha256sum` writes them."""

_DIRECTIVES = {
    "role": ("owner", "session"),
    "requires": ("timescaledb community",),
    "transaction": ("none",),
}
_DIRECTIVE = re.compile(r"--\s*([a-z]+):\s*(.*?)\s*")
_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")


@dataclass(frozen=True)
class SqlFile:
    """`path` is relative to the folder: `migrations/0001_tenancy.sql`."""

    kind: Kind
    path: str
    text: str

    @property
    def name(self) -> str:
        """The file's name without `.sql`."""
        return Path(self.path).stem

    @cached_property
    def sha256(self) -> str:
        """Of the text with LF line ends, so that a checkout with CRLF is no drift."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def directives(self) -> dict[str, str]:
        """Raises SqlFileError for a value that the runner does not know."""
        found: dict[str, str] = {}
        for line in self.text.splitlines():
            if not line.startswith("--"):
                break
            match = _DIRECTIVE.fullmatch(line)
            if match and match[1] in _DIRECTIVES:
                key, value = match[1], match[2]
                if value not in _DIRECTIVES[key]:
                    choices = " or ".join(_DIRECTIVES[key])
                    raise SqlFileError(self.path, f"{key}: {value!r} is not {choices}")
                found[key] = value
        return found

    @property
    def as_owner(self) -> bool:
        return self.directives.get("role", "owner") == "owner"

    @property
    def needs_community(self) -> bool:
        return "requires" in self.directives

    @property
    def in_transaction(self) -> bool:
        return "transaction" not in self.directives


def sql_folder() -> Path:
    """`pipeline/_files/sql` of an installed wheel, or `sql` beside the package of a checkout.

    Raises SqlFileError when there is neither.
    """
    package = Path(pipeline.__file__).parent
    for folder in (package / "_files" / "sql", package.parent / "sql"):
        if (folder / "migrations").is_dir():
            return folder
    raise SqlFileError(str(package.parent / "sql"), "the SQL files are not there; reinstall")


def read_files(folder: Path, kind: Kind) -> list[SqlFile]:
    """The files of one kind in the order in which they are applied.

    Raises SqlFileError for a migration without a number of its own, and for bad directives.
    """
    files = [
        SqlFile(kind, path.relative_to(folder).as_posix(), _read(path))
        for path in sorted((folder / FOLDERS[kind]).glob("*.sql"))
    ]
    if kind == "migration":
        _check_numbers(files)
    if kind == "view":
        named = {file.name: file for file in files}
        files = [named[name] for name in in_order({name: named[name].text for name in named})]
    for file in files:
        _ = file.directives
    return files


def read_bootstrap(folder: Path) -> SqlFile:
    return SqlFile("function", "bootstrap.sql", _read(folder / "bootstrap.sql"))


def read_frozen(folder: Path) -> dict[str, str]:
    """File name -> hash of every released migration."""
    path = folder / FROZEN
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _check_numbers(files: list[SqlFile]) -> None:
    numbers: dict[str, str] = {}
    for file in files:
        name = Path(file.path).name
        if not _MIGRATION.fullmatch(name):
            raise SqlFileError(file.path, "a migration is named NNNN_lower_case_words.sql")
        other = numbers.setdefault(name[:4], name)
        if other != name:
            raise SqlFileError(file.path, f"{other} has the same number")
