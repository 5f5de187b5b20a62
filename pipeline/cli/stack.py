"""A whole BioTrakr on one machine: services, pipeline and agents as processes.

Used by `biotrakr demo` and by the end-to-end and chaos tests. The services are the embedded ones
unless BIOTRAKR_DATABASE_URL or BIOTRAKR_MQTT_URL say otherwise. Everything that is started ends
with this process, however it ends.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import psycopg

from pipeline.cli.setup import HISTORY_LOGIN, PIPELINE_LOGIN, make_logins
from pipeline.contracts.topics import gateway_user
from pipeline.database.connect import connect
from pipeline.database.migrate import migrate
from pipeline.embedded import Broker, Database, start_broker, start_database
from pipeline.registry.load import load_site
from pipeline.registry.site_file import GatewayEntry, SiteFile

_WRAPPER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, which outlives exec
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone already")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Runs in the child in place of `preexec_fn`: that would make subprocess fork, and a fork while
another thread multiplies matrices can leave OpenBLAS waiting for ever."""


class Child:
    """A process of ours. Its output goes to `log`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        prefix: Sequence[str] = (),
    ):
        """`prefix` is a program that runs what follows it, such as `nice`."""
        self.name, self.log = name, log
        self._prefix, self._command = list(prefix), list(command)
        self._environment = dict(environment)
        self.process = self._start({})

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self, extra: Mapping[str, str] | None = None) -> None:
        """Start again what has ended; `extra` are environment variables for this life."""
        assert not self.running, f"{self.name} still runs"
        self.process = self._start(extra or {})

    def stop(self, timeout_s: float = 5.0) -> None:
        """SIGTERM, then SIGKILL."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _start(self, extra: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            wrapper = [sys.executable, "-I", "-S", "-c", _WRAPPER, str(os.getpid())]
            return subprocess.Popen(  # noqa: S603 our own programs
                [*self._prefix, *wrapper, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment, **extra},
                start_new_session=True,
            )


class Stack:
    """Services plus the processes that were started on them; a context manager."""

    def __init__(
        self,
        directory: Path,
        *,
        services_directory: Path | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._closing = ExitStack()
        self.children: dict[str, Child] = {}
        self.database: Database | None = None
        self.broker: Broker | None = None
        kept = services_directory
        try:
            self.database_url = os.environ.get("BIOTRAKR_DATABASE_URL") or self._database(
                kept and kept / "database", progress
            )
            self.mqtt_url = os.environ.get("BIOTRAKR_MQTT_URL") or self._broker(
                kept and kept / "broker", progress
            )
        except BaseException:
            self._closing.close()
            raise

    def _database(self, directory: Path | None, progress: Callable[[str], None]) -> str:
        self.database = self._closing.enter_context(start_database(directory, progress=progress))
        return self.database.url

    def _broker(self, directory: Path | None, progress: Callable[[str], None]) -> str:
        self.broker = self._closing.enter_context(start_broker(directory, progress=progress))
        return with_login(self.broker.url, *self.broker.credentials("pipeline"))

    def prepare(self, site: SiteFile, progress: Callable[[str], None] = lambda _: None) -> None:
        """Schema, registry and the pipeline's own login, which may only do what it must."""
        migrate(self.database_url, progress=progress)
        with connect(self.database_url) as connection:
            load_site(connection, site)
            if self.database is None:
                self.database_url_pipeline = self.database_url_history = self.database_url
                return
            logins = {login: secrets.token_urlsafe(24) for login in (PIPELINE_LOGIN, HISTORY_LOGIN)}
            make_logins(connection, logins, progress)
            self.database_url_pipeline, self.database_url_history = (
                with_login(self.database_url, *login) for login in logins.items()
            )

    def start_pipeline(
        self,
        config: Path | None = None,
        *,
        recovery: Path | None = None,
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> Child:
        """`biotrakr run` on these services, with its own recovery directory."""
        arguments = ["--recovery-directory", str(recovery or self.directory / "recovery")]
        if config is not None:
            arguments += ["--config", str(config)]
        addresses = {
            "BIOTRAKR_DATABASE_URL": self.database_url_pipeline,
            "BIOTRAKR_MQTT_URL": self.mqtt_url,
        }
        command = [sys.executable, "-m", "pipeline.cli.main", "--log-level", "INFO", "run"]
        return self._spawn("pipeline", [*command, *arguments], addresses | environment, prefix)

    def start_agent(
        self,
        site: SiteFile,
        gateway: GatewayEntry,
        readers: str,
        *,
        mqtt_url: str | None = None,
        spool: Path | None = None,
        ack_timeout_s: float = 3.0,
        prefix: Sequence[str] = (),
    ) -> Child:
        """`biotrakr-edge run` for one gateway; `readers` is the TOML of its [[readers]]."""
        place = (site.organization.code, site.facility.code)
        config = self.directory / f"{gateway.code}.toml"
        address = urlsplit(mqtt_url or self.mqtt_url)
        user, password = gateway_user(*place, gateway.code), None
        if self.broker is not None:
            user, password = self.broker.credentials(user)
        config.write_text(
            f'organization = "{place[0]}"\nfacility = "{place[1]}"\ngateway = "{gateway.code}"\n'
            f"status_s = 2.0\n[broker]\n"
            f'url = "{address.scheme}://{address.hostname}:{address.port}"\n'
            f"username = {user!r}\nack_timeout_s = {ack_timeout_s}\n"
            f"[spool]\npath = {str(spool or self.directory / gateway.code)!r}\n{readers}"
        )
        secret = {} if password is None else {"BIOTRAKR_MQTT_PASSWORD": password}
        command = [sys.executable, "-m", "edge_agent.cli", "run", "--config", str(config)]
        return self._spawn(gateway.code, command, secret, prefix)

    def connect(self) -> psycopg.Connection[Any]:
        return connect(self.database_url, application_name="biotrakr-observer")

    def failed(self) -> Child | None:
        """A child that has ended by itself."""
        return next((child for child in self.children.values() if not child.running), None)

    def close(self) -> None:
        for child in self.children.values():
            child.process.terminate()
        for child in self.children.values():
            child.stop()
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _spawn(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        prefix: Sequence[str] = (),
    ) -> Child:
        child = Child(name, command, environment, self.directory / f"{name}.log", prefix)
        self.children[name] = child
        return child


def with_login(url: str, user: str, password: str) -> str:
    """The same address with another user."""
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}"
    return parts._replace(
        netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    ).geturl()
