"""Connections to TimescaleDB, and the migrations of its schema."""

from __future__ import annotations

from pipeline.database.connect import connect
from pipeline.database.errors import (
    ConnectionFailed,
    DatabaseError,
    DriftError,
    MigrationError,
    MigrationFailed,
    SqlFileError,
    UnsupportedServer,
)
from pipeline.database.files import sql_folder
from pipeline.database.migrate import Applied, migrate
from pipeline.database.status import Capability, FileStatus, Status, status

__all__ = [
    "Applied",
    "Capability",
    "ConnectionFailed",
    "DatabaseError",
    "DriftError",
    "FileStatus",
    "MigrationError",
    "MigrationFailed",
    "SqlFileError",
    "Status",
    "UnsupportedServer",
    "connect",
    "migrate",
    "sql_folder",
    "status",
]
