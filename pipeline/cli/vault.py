"""Every password of an installation, in one file that only `biotrakr keys` reads."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.cli.errors import CliError

_HASH_ROUNDS = 101
"""mosquitto_passwd's own number. Passwords are random 192 bits, which no number of rounds would
make safer, and the broker's only thread hashes at every connect."""


@dataclass
class Vault:
    """`broker`: user -> password. `database`: login -> password."""

    broker: dict[str, str] = field(default_factory=dict)
    database: dict[str, str] = field(default_factory=dict)

    def ensure(self, *, broker: Iterable[str] = (), database: Iterable[str] = ()) -> list[str]:
        """Give a password to those who have none; returns their names."""
        made = []
        for names, known in ((broker, self.broker), (database, self.database)):
            for name in names:
                if name not in known:
                    known[name] = secrets.token_urlsafe(24)
                    made.append(name)
        return made

    def password(self, name: str) -> str:
        found = self.broker.get(name) or self.database.get(name)
        if found is None:
            raise CliError(f"there is no user {name!r}; see: biotrakr keys list")
        return found


@contextmanager
def open_vault(folder: Path) -> Iterator[Vault]:
    """The vault in `folder`, stored again at the end. One process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "vault.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        vault = Vault(**json.loads(path.read_text())) if path.exists() else Vault()
        yield vault
        write_private(path, json.dumps(asdict(vault), indent=1))


def write_private(path: Path, text: str, owner: int | None = None) -> None:
    """Put `text` at `path` in one step, readable by its owner alone.

    `owner` is a user id, whose group has the same number; None leaves it ours.
    """
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        if owner is not None:
            # The mode first: once it is somebody else's, only a privileged process may change it.
            os.fchmod(descriptor, 0o400)
            os.fchown(descriptor, owner, owner)
        os.fsync(descriptor)
    draft.replace(path)


def hash_for_broker(password: str) -> str:
    """A line's second half of mosquitto's password file: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    return f"$7${_HASH_ROUNDS}${_base64(salt)}${_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
