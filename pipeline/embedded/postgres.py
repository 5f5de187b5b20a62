"""PostgreSQL with TimescaleDB, from the private folder."""

from __future__ import annotations

import ctypes
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGQUIT

from pipeline.embedded.errors import StartFailedError
from pipeline.embedded.folders import Folder, open_folder
from pipeline.embedded.packages import Installation, prepare
from pipeline.embedded.service import Service
from pipeline.embedded.supervise import Supervised, run_as

SUPERUSER = "postgres"
_SOCKET_PATH_LIMIT = 107  # bytes, in the kernel's sockaddr_un

# A commit survives a SIGKILL or a power cut as in production; the rest is modest, because a
# laptop may run this beside a browser.
_SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "24",
    "max_worker_processes": "40",  # above TimescaleDB's own, or its jobs do not start
    "jit": "off",
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "max_connections": "60",
    "max_locks_per_transaction": "256",  # a query over years touches hundreds of chunks
    "shared_buffers": "128MB",
    # In files of the data folder: /dev/shm is small in containers, and a killed server leaves
    # its segments there.
    "dynamic_shared_memory_type": "mmap",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    "log_line_prefix": "%m [%p] %d ",
    "log_checkpoints": "off",
    "logging_collector": "off",
}
_AUTHENTICATION = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class Database(Service):
    """A PostgreSQL server whose superuser has a random password.

    TimescaleDB is loaded; ``CREATE EXTENSION timescaledb`` is for whoever makes a database.
    """

    name = "PostgreSQL"
    polite_signal = SIGINT  # "fast": roll back, write a checkpoint, end
    prompt_signal = SIGQUIT  # "immediate": end now, recover at the next start

    def __init__(
        self, installation: Installation, folder: Folder, progress: Callable[[str], None]
    ) -> None:
        super().__init__(installation, folder, progress)
        self._password: str = folder.load_state().get("password") or secrets.token_urlsafe(18)
        self._socket_dir = folder.path / "socket"

    @property
    def url(self) -> str:
        """The superuser's address, of the database ``postgres``."""
        return self.url_of("postgres")

    def url_of(self, database: str, *, user: str = SUPERUSER, password: str | None = None) -> str:
        """The address of `database`, as the superuser or as another role."""
        secret = self._password if user == SUPERUSER and password is None else password
        login = user if secret is None else f"{user}:{secret}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    @property
    def psql(self) -> Path:
        """The command line client: ``[database.psql, database.url]``."""
        return self.installation.psql

    def close(self) -> None:
        """Stop, unlock the folder, and remove it if it is a temporary one."""
        if self._folder.temporary and not self.running:
            _release_shared_memory(self.data_dir)
        super().close()

    def _prepare(self) -> None:
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialize()
        self._socket_dir.mkdir(exist_ok=True)
        self._account.own(self._socket_dir, 0o700)
        settings = "".join(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        for name, text in (("postgresql.conf", settings), ("pg_hba.conf", _AUTHENTICATION)):
            path = self.data_dir / name
            path.write_text(text)
            self._account.own(path, 0o600)

    def _initialize(self) -> None:
        self._report("creating the database cluster")
        self._folder.save_state(password=self._password)
        draft = self.directory / "data.draft"  # renamed when whole: a start may be cut short
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        self._account.own(draft, 0o700)
        password = self.directory / "password"
        password.touch(0o600)
        password.write_text(self._password)
        self._account.own(password)
        command: list[str | Path] = [self.installation.postgres_program("initdb")]
        command += ["--pgdata", draft, "--username", SUPERUSER, "--pwfile", password]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]
        # The built-in collation: C.UTF-8 on any machine, whatever locales it has.
        command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command += ["--data-checksums", "--no-instructions"]
        if self._folder.temporary:
            command += ["--no-sync"]
        done = run_as(self._account, command)
        password.unlink()
        if done.returncode != 0:
            raise StartFailedError(self.name, "initdb failed", done.stdout)
        draft.rename(self.data_dir)

    def _command(self) -> list[str | Path]:
        socket = self._socket_dir / f".s.PGSQL.{self.port}.lock"
        fits = len(str(socket).encode()) <= _SOCKET_PATH_LIMIT
        command: list[str | Path] = [self.installation.postgres_program("postgres")]
        command += ["-D", self.data_dir, "-p", str(self.port)]
        return [*command, "-k", self._socket_dir if fits else ""]

    def _is_ready(self, server: Supervised) -> bool:
        # The server's own word, as pg_ctl takes it: its id on the first line, its state on the
        # eighth. A probe of the port could be answered by somebody else's server.
        lines = _postmaster_file(self.data_dir)
        return len(lines) >= 8 and lines[0] == str(server.pid) and lines[7].strip() == "ready"


def start_database(
    directory: Path | None = None, *, progress: Callable[[str], None] | None = None
) -> Database:
    """Start PostgreSQL with TimescaleDB; close it, or use it as a context manager.

    `directory`: where the data is kept between runs; None for a folder that goes away.
    `progress`: called with a sentence before each step that takes time.

    Raises EmbeddedError: see `pipeline.embedded.errors`.
    """
    installation = prepare(progress)
    folder = open_folder(directory, "postgresql")
    try:
        database = Database(installation, folder, progress or (lambda _: None))
        database.start()
    except BaseException:
        folder.close()
        raise
    return database


def _postmaster_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _release_shared_memory(data: Path) -> None:
    """Free the few bytes a killed server leaves in the kernel: its data will not start again."""
    lines = _postmaster_file(data)
    if len(lines) >= 7 and len(lines[6].split()) == 2:
        ipc_rmid = 0
        ctypes.CDLL(None).shmctl(int(lines[6].split()[1]), ipc_rmid, None)
