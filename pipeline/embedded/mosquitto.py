"""The Mosquitto broker, from the private folder."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import SIGHUP, SIGTERM
from typing import NamedTuple

from pipeline.embedded.errors import ServiceError, StartFailedError, StillRunningError
from pipeline.embedded.folders import Folder, open_folder
from pipeline.embedded.mqtt_probe import ACCEPTED, connect_code
from pipeline.embedded.packages import Installation, prepare
from pipeline.embedded.service import POLL_S, Service
from pipeline.embedded.supervise import Supervised, environment

PIPELINE_USER = "pipeline"
_PROBE_USER = "embedded/probe"  # matches no topic: it only asks whether it is let in
_RELOAD_TIMEOUT_S = 10.0

# The limits are those of config/mosquitto/mosquitto.conf, which says why.
_CONFIGURATION = """\
per_listener_settings false
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
max_inflight_messages 60000
max_queued_messages 1000000000
max_packet_size 1114112
persistence true
persistence_location {folder}/
autosave_interval {autosave_s}
log_dest stderr
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


class Credentials(NamedTuple):
    """A user name and its password."""

    user: str
    password: str


class Broker(Service):
    """A Mosquitto broker with the production ACL, for users that are made when asked for."""

    name = "Mosquitto"
    polite_signal = SIGTERM  # writes its persistence, then ends
    prompt_signal = SIGTERM

    def __init__(
        self,
        installation: Installation,
        folder: Folder,
        progress: Callable[[str], None],
        *,
        users: Mapping[str, str],
        acl: str,
        autosave_s: int,
    ) -> None:
        super().__init__(installation, folder, progress)
        known: dict[str, str] = folder.load_state().get("users", {})
        self._users = {_PROBE_USER: _new_password(), **known, **users}
        self._acl = acl
        self._autosave_s = autosave_s
        self._reload_lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address, without a user: anonymous clients are refused."""
        return f"mqtt://127.0.0.1:{self.port}"

    def credentials(self, user: str = PIPELINE_USER) -> Credentials:
        """The user's name and password; a user that is not there yet is made first.

        A gateway's name is ``{organization}/{facility}/gateways/{gateway}``, a consumer's its
        organization's, the pipeline's ``pipeline``. A running broker learns of the user at once,
        and the connections of others stay. Raises ServiceError for a name MQTT cannot carry.
        """
        with self._reload_lock:
            if user not in self._users:
                _require_name(user)
                self._users[user] = _new_password()
                if self.running:
                    self._write_users()
                    self._reload(user)
            return Credentials(user, self._users[user])

    def wipe(self) -> None:
        """Forget sessions, queues and retained messages, as a broker with a lost disk would.

        Raises StillRunningError: stop or kill it first.
        """
        if self.running:
            raise StillRunningError(self.name, "wiping its persistence")
        for path in self.data_dir.glob("mosquitto.db*"):
            path.unlink()

    @property
    def mosquitto_pub(self) -> Path:
        """The command line publisher."""
        return self.installation.mosquitto_pub

    @property
    def mosquitto_sub(self) -> Path:
        """The command line subscriber."""
        return self.installation.mosquitto_sub

    def _prepare(self) -> None:
        self.data_dir.mkdir(exist_ok=True)
        self._account.own(self.data_dir, 0o700)
        self._write_users()
        self._write("acl", self._acl)

    def _command(self) -> list[str | Path]:
        text = _CONFIGURATION.format(
            port=self.port, folder=self.data_dir, autosave_s=self._autosave_s
        )
        self._write("mosquitto.conf", text)
        return [self.installation.mosquitto, "-c", self.data_dir / "mosquitto.conf"]

    def _is_ready(self, server: Supervised) -> bool:
        # The probe's password is this broker's alone, so another one would refuse it.
        return server.alive and self._lets_in(_PROBE_USER)

    def _lets_in(self, user: str) -> bool:
        return connect_code(self.port, user, self._users[user]) == ACCEPTED

    def _write_users(self) -> None:
        """Write the password file, hashed by the broker's own tool."""
        draft = self.directory / "passwords"
        draft.touch(0o600)
        draft.write_text("".join(f"{user}:{secret}\n" for user, secret in self._users.items()))
        command = [str(self.installation.mosquitto_passwd), "-U", str(draft)]
        done = subprocess.run(  # noqa: S603 - names and passwords are in the file
            command, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise StartFailedError(self.name, "its passwords could not be hashed", done.stderr)
        self._account.own(draft, 0o600)
        shutil.move(draft, self.data_dir / "passwords")
        self._folder.save_state(users=self._users)

    def _write(self, name: str, text: str) -> None:
        path = self.data_dir / name
        path.write_text(text)
        self._account.own(path, 0o600)

    def _reload(self, user: str) -> None:
        assert self._server is not None
        self._server.signal(SIGHUP)
        deadline = time.monotonic() + _RELOAD_TIMEOUT_S
        while not self._lets_in(user):
            if not self.running or time.monotonic() > deadline:
                raise ServiceError(self.name, f"{self.name} did not learn of the user {user!r}")
            time.sleep(POLL_S)


def start_broker(
    directory: Path | None = None,
    users: Mapping[str, str] | None = None,
    *,
    acl: str = "",
    autosave_s: int = 5,
    progress: Callable[[str], None] | None = None,
) -> Broker:
    """Start Mosquitto; close it, or use it as a context manager.

    `directory`: where sessions and retained messages are kept between runs; None for a folder
    that goes away. `users`: passwords by user name, besides those `Broker.credentials` makes.
    `acl`: lines added to the production ACL. `autosave_s`: seconds between saves, so what a
    SIGKILL can lose. `progress`: called with a sentence before each step that takes time.

    Raises EmbeddedError: see `pipeline.embedded.errors`.
    """
    for user in users or {}:
        _require_name(user)
    installation = prepare(progress)
    folder = open_folder(directory, "mosquitto")
    try:
        broker = Broker(
            installation,
            folder,
            progress or (lambda _: None),
            users=users or {},
            acl=f"{production_acl()}\n{acl}\n",
            autosave_s=autosave_s,
        )
        broker.start()
    except BaseException:
        folder.close()
        raise
    return broker


def production_acl() -> str:
    """The text of config/mosquitto/acl, from the source tree or from the installed wheel."""
    package = Path(__file__).resolve().parents[1]
    for config in (package / "_files" / "config", package.parent / "config"):
        path = config / "mosquitto" / "acl"
        if path.exists():
            return path.read_text(encoding="utf-8")
    raise ServiceError(Broker.name, "config/mosquitto/acl is missing: install BioTrakr again")


def _new_password() -> str:
    return secrets.token_urlsafe(18)


def _require_name(user: str) -> None:
    if not user or set(user) & set(":+#\n\r\0"):
        raise ServiceError(
            Broker.name,
            f"{user!r} cannot be a user name: it is empty, or has one of : + # in it, which the "
            "password file or topic patterns would misread.",
        )
