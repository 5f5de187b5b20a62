"""How a database stands to the files: what is applied, what is to come, what the edition lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipeline.database.connect import Connection, connect
from pipeline.database.files import Kind, read_files, sql_folder
from pipeline.database.migrate import read_known, view_exists
from pipeline.database.server import Server, read_server


@dataclass(frozen=True)
class FileStatus:
    """`left out`: needs the Community edition. `no file`: applied, by a newer program perhaps."""

    path: str
    kind: Kind
    state: Literal["applied", "pending", "changed", "left out", "no file"]


@dataclass(frozen=True)
class Capability:
    name: str
    available: bool
    detail: str
    checked_at: datetime


@dataclass(frozen=True)
class Status:
    """`server` is None where TimescaleDB is missing; then nothing is applied either."""

    server: Server | None
    files: list[FileStatus] = field(default_factory=list)
    capabilities: list[Capability] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        """Whether `migrate` would have nothing to do."""
        return self.server is not None and all(
            file.state in ("applied", "left out") for file in self.files
        )


def status(url: str, *, folder: Path | None = None) -> Status:
    """Read only. Raises ConnectionFailed, SqlFileError."""
    folder = folder or sql_folder()
    with connect(url, application_name="biotrakr status") as connection:
        server = read_server(connection)
        known = read_known(connection) if _exists(connection, "ops.migration") else {}
        files = _files(connection, folder, known, server)
        capabilities = []
        if _exists(connection, "ops.capability"):
            rows = connection.execute(
                "select name, available, detail, checked_at from ops.capability order by name"
            )
            capabilities = [Capability(*row) for row in rows]
    return Status(server, files, capabilities)


def _files(
    connection: Connection, folder: Path, known: dict[str, str], server: Server | None
) -> list[FileStatus]:
    found = []
    community = server is not None and server.is_community
    kinds: tuple[Kind, ...] = ("function", "migration", "view")
    for kind in kinds:
        for file in read_files(folder, kind):
            state: Literal["applied", "pending", "changed", "left out"] = "applied"
            if file.path not in known or (kind == "view" and not view_exists(connection, file)):
                left_out = kind == "migration" and file.needs_community and not community
                state = "left out" if left_out else "pending"
            elif known[file.path] != file.sha256:
                state = "changed"
            found.append(FileStatus(file.path, kind, state))
    here = {file.path for file in found}
    gone = sorted(path for path in known.keys() - here if path.startswith("migrations/"))
    return found + [FileStatus(path, "migration", "no file") for path in gone]


def _exists(connection: Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s)", (relation,)).fetchone()
    return row is not None and row[0] is not None
