"""The known input through a whole BioTrakr in which everything can be broken."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from fault_injection.disks import Disks, NoDisksError
from fault_injection.network import Network, Proxy
from fault_injection.subscriber import AlertSubscriber
from fault_injection.supervisor import Supervisor
from known_input import KnownInput, Run

from pipeline.cli.stack import Stack
from pipeline.embedded import Broker, Database
from pipeline.registry.site_file import GatewayEntry

DISK_BYTES = 64 << 20
TABLES_BYTES = 256 << 20
PIPELINE = "pipeline"
_COUNT = """
import sqlite3, sys
for path in sys.argv[1:]:
    spool = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    print(*spool.execute("select count(*), min(sequence), max(sequence) from batches").fetchone())
"""


class World(Run):
    """A context manager. Every process is supervised; agents and pipeline reach broker and
    database through proxies and keep their files on small disks, where the machine allows that
    (`no_disks` says why not)."""

    def __init__(self, directory: Path, known: KnownInput) -> None:
        self._closing = ExitStack()
        # A child is ended with the thread that started it, so these live as long as the world.
        self.threads = ThreadPoolExecutor(16, thread_name_prefix="lane")
        self._closing.callback(self.threads.shutdown)
        super().__init__(self._closing.enter_context(Stack(directory)), known)
        assert self.stack.broker is not None and self.stack.database is not None
        self.broker: Broker = self.stack.broker
        self.database: Database = self.stack.database
        self.gateways = [gateway.code for gateway in known.site.buildings[0].gateways]
        self.network = Network()
        self._closing.callback(self.network.close)
        self.broker_link = self.network.proxy("pipeline-broker", self.broker.port)
        self.database_link = self.network.proxy("pipeline-database", self.database.port)
        self.agent_links = {
            name: self.network.proxy(f"{name}-broker", self.broker.port) for name in self.gateways
        }
        self.spools, self.recovery = directory / "spools", directory / "recovery"
        self.disks, self.no_disks = self._disks()
        self.tables_folder = self.database.data_dir / "base"
        self.database_disks = None if self.disks is None else self._put_tables_on_disk()
        self.alerts = AlertSubscriber(self.broker, known.site.organization.code)
        self._closing.callback(self.alerts.close)
        self._hurry = threading.Event()

    def _disks(self) -> tuple[Disks | None, str | None]:
        try:
            disks = Disks({self.spools: DISK_BYTES, self.recovery: DISK_BYTES})
        except NoDisksError as error:
            self.spools.mkdir(exist_ok=True)
            return None, str(error)
        self._closing.callback(disks.close)
        return disks, None

    def _put_tables_on_disk(self) -> Disks:
        """The files of all tables move to a disk of the database's own user."""
        folder, owner = self.tables_folder, self.database.data_dir.stat()
        self.database.stop()
        before = folder.rename(folder.with_name("base.before"))
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.st_uid, owner.st_gid)
        account = (owner.st_uid, owner.st_gid) if owner.st_uid != os.geteuid() else None
        disks = Disks({folder: TABLES_BYTES}, account)
        self._closing.callback(disks.close)
        disks.run("cp", "--archive", f"{before}/.", folder)
        command = self.database._command
        self.database._command = lambda: [*disks.prefix, *command()]  # type: ignore[method-assign]
        self.database.start()
        return disks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hurry.set()
        if hasattr(self, "supervisor"):
            self.supervisor.stop()
        self._closing.close()

    # -- starting ----------------------------------------------------------------------------

    def start(self, seconds: float) -> None:
        """`seconds` is about how long faults will strike: then a third of the input is left."""
        super().start(seconds)
        self.supervisor = Supervisor(self.stack.children)
        self.supervisor.start()
        self.alerts.wait()

    @property
    def _prefix(self) -> tuple[str, ...]:
        return () if self.disks is None else tuple(self.disks.prefix)

    def start_pipeline(self, config: Path) -> None:
        addresses = {
            "BIOTRAKR_DATABASE_URL": _through(self.database_link, self.stack.database_url_pipeline),
            "BIOTRAKR_MQTT_URL": _through(self.broker_link, self.stack.mqtt_url),
        }
        self.stack.start_pipeline(config, recovery=self.recovery, prefix=self._prefix, **addresses)

    def start_agent(self, gateway: GatewayEntry, reader: str) -> None:
        self.stack.start_agent(
            self.known.site,
            gateway,
            reader,
            mqtt_url=_through(self.agent_links[gateway.code], self.broker.url),
            spool=self.spools / gateway.code,
            ack_timeout_s=0.5,  # doubles with every try: begin where a run has time for many
            prefix=self._prefix,
        )

    def _feed(self, seconds: float) -> None:
        """Ever slower, so that there is something to do for as long as faults strike."""
        began_s = time.monotonic()
        for step in range(self.steps):
            self.feed_step(step)
            due_s = began_s - seconds * math.log(1 - step / self.steps)
            self._hurry.wait(max(0.0, due_s - time.monotonic()))

    # -- the end -----------------------------------------------------------------------------

    def finish(self, timeout_s: float) -> None:
        """The rest of the input at once; returns when all of it is committed, published and
        acknowledged."""
        self._hurry.set()
        self.wait(timeout_s)
        deadline = time.monotonic() + timeout_s
        while any(left := self.spooled()):
            assert time.monotonic() < deadline, f"batches not acknowledged: {left}"
            time.sleep(0.2)

    def spooled(self) -> list[int]:
        """Batches each gateway still keeps."""
        return [int(line.split()[0]) for line in self._spools()]

    def _spools(self) -> list[str]:
        """Of each gateway: batches kept, the lowest and the highest sequence."""
        command = [*self._prefix, sys.executable, "-I", "-S", "-c", _COUNT]
        paths = [str(self.spools / name) for name in self.gateways]
        found = subprocess.run([*command, *paths], capture_output=True, check=True, text=True)
        return found.stdout.splitlines()

    def state(self) -> str:
        """How far each gateway came, for the report of a failure."""
        with self.stack.connect() as connection:
            committed = connection.execute(
                "select g.code, p.sequence, p.until, s.payload->'counters' from registry.gateway g"
                " left join pipeline.gateway_progress p on p.gateway_id = g.id"
                " left join pipeline.gateway_status s on s.gateway_id = g.id order by 1"
            ).fetchall()
            windows = connection.execute(
                "select count(*), max(window_end) from pipeline.window_commit"
            ).fetchone()
        spools = dict(zip(self.gateways, self._spools(), strict=True))
        lines = [f"{row}, spool (batches, first, last): {spools.get(row[0])}" for row in committed]
        return "\n".join([f"windows: {windows}", *lines])

    def log_size(self, name: str) -> int:
        return self.stack.children[name].log.stat().st_size

    def logged(self, name: str, since: int) -> str:
        """What this child has written beyond `since` bytes."""
        with self.stack.children[name].log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")


def _through(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}127.0.0.1:{proxy.port}").geturl()
