"""Errors of the database package.

DatabaseError
├── ConnectionFailed     the address is wrong or nobody answers; never holds the password
├── UnsupportedServer    PostgreSQL or TimescaleDB is too old or not set up
├── SqlFileError         a file under sql/ that the runner cannot use
└── MigrationError       the database and the files do not fit
    ├── DriftError           an applied migration was changed, or is not among the files
    └── MigrationFailed      the server refused a file; nothing of it was kept
"""

from __future__ import annotations

from collections.abc import Sequence


class DatabaseError(Exception):
    """Anything this package raises by itself."""


class ConnectionFailed(DatabaseError):
    """`where` is user@host:port/database, as far as it is known."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"no connection to {where}: {problem}")
        self.where = where
        self.problem = problem


class UnsupportedServer(DatabaseError):
    """The message says what is found and what is needed."""


class SqlFileError(DatabaseError):
    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class MigrationError(DatabaseError):
    """The database is left as it was before the file at fault."""


class DriftError(MigrationError):
    """`problems` names each file that differs from what was applied."""

    def __init__(self, problems: Sequence[str]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(
            f"the applied migrations are not those of this program; nothing was changed{lines}\n"
            "A released migration never changes: put the change in a new one."
        )
        self.problems = list(problems)


class MigrationFailed(MigrationError):
    """`path` was rolled back whole; `line` counts from 1 where the server names a place."""

    def __init__(self, path: str, problem: str, *, sqlstate: str | None, line: int | None) -> None:
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {problem} (SQLSTATE {sqlstate}); the file was rolled back")
        self.path = path
        self.problem = problem
        self.sqlstate = sqlstate
        self.line = line
