"""Real TimescaleDB and real Mosquitto in a private folder: no root, no Docker.

    with start_database() as database, start_broker() as broker:
        psycopg.connect(database.url)
        user, password = broker.credentials("acme/north/gateways/g1")

The programs come from Debian's own signed packages and are kept in a cache; see `packages`.
"""

from __future__ import annotations

from pipeline.embedded.errors import (
    DirectoryError,
    DirectoryInUseError,
    DirectoryNotOursError,
    DirectoryUnreachableError,
    EmbeddedError,
    NotRunningError,
    PortTakenError,
    PrepareError,
    ServiceError,
    StartFailedError,
    StillRunningError,
    UnsupportedPlatformError,
)
from pipeline.embedded.mosquitto import Broker, Credentials, start_broker
from pipeline.embedded.packages import Installation, prepare
from pipeline.embedded.postgres import Database, start_database

__all__ = [
    "Broker",
    "Credentials",
    "Database",
    "DirectoryError",
    "DirectoryInUseError",
    "DirectoryNotOursError",
    "DirectoryUnreachableError",
    "EmbeddedError",
    "Installation",
    "NotRunningError",
    "PortTakenError",
    "PrepareError",
    "ServiceError",
    "StartFailedError",
    "StillRunningError",
    "UnsupportedPlatformError",
    "prepare",
    "start_broker",
    "start_database",
]
