"""`biotrakr-edge provision`: a gateway's identity, made where it is used.

Makes a private key, which never leaves this machine, and a certificate request for ops to sign; and
says what ops have to enter. Run again it changes nothing: a key that is there is used, and replaced
with --force only.

Exit status: 0 done (also when everything was there), 1 a file could not be written, 2 wrong names.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from edge_agent.errors import SettingsError
from pipeline.contracts.errors import TopicError
from pipeline.contracts.topics import gateway_user

_SERVICE_USER = "biotrakr"
_SERIALS = (Path("/proc/device-tree/serial-number"), Path("/etc/machine-id"))
_LONGEST_SUBJECT = 64
"""Characters of a certificate's common name, by X.520."""
KEY, REQUEST, CERTIFICATE = "gateway.key", "gateway.csr", "gateway.crt"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="take the names from this TOML file")
    parser.add_argument("--organization", help="its code, as in the site file")
    parser.add_argument("--facility", help="its code, as in the site file")
    parser.add_argument("--gateway", help="default: made from this machine's serial number")
    parser.add_argument("--directory", type=Path, default=Path("/etc/biotrakr"),
                        help="default: /etc/biotrakr")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="make a new key; the old one is lost")


def main(options: Namespace) -> int:
    names = _names(options)
    try:
        user = gateway_user(*names)
    except TopicError as error:
        raise SettingsError([str(error)]) from None
    if len(user) > _LONGEST_SUBJECT:
        raise SettingsError(
            [
                f"{user}: a certificate holds {_LONGEST_SUBJECT} characters, this has {len(user)}: "
                f"choose shorter names, or use a password (biotrakr keys add {user})"
            ]
        )
    try:
        made, fingerprint = _provide(options.directory, user, force=options.force)
    except OSError as error:
        print(f"biotrakr-edge: {error}", file=sys.stderr)
        return 1
    print(_told(options.directory, names, user, fingerprint, made))
    return 0


def _names(options: Namespace) -> tuple[str, str, str]:
    content: dict[str, Any] = {}
    if options.config is not None:
        try:
            content = tomllib.loads(options.config.read_text())
        except (OSError, ValueError) as error:
            raise SettingsError([f"{options.config}: {error}"]) from None
    missing, found = [], []
    for name in ("organization", "facility", "gateway"):
        value = getattr(options, name) or content.get(name)
        if value is None and name == "gateway":
            value = default_name()
        if not isinstance(value, str):
            missing.append(f"{name}: give --{name}, or --config with a file that has it")
        found.append(str(value))
    if missing:
        raise SettingsError(missing)
    return found[0], found[1], found[2]


def default_name(serials: tuple[Path, ...] = _SERIALS) -> str | None:
    """gw- and the end of the first serial number that this machine has."""
    for path in serials:
        try:
            serial = re.sub(r"[^0-9a-f]", "", path.read_text().lower())
        except OSError:
            continue
        if len(serial) >= 8:
            return f"gw-{serial[-8:]}"
    return None


def _provide(directory: Path, user: str, *, force: bool) -> tuple[list[str], str]:
    """What was made, and the fingerprint of the public key. Raises OSError."""
    # Nothing else of the agent needs it, so nothing else pays for it.
    from edge_agent import identity  # noqa: PLC0415

    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    made = []
    key_path, request_path = directory / KEY, directory / REQUEST
    if force or not key_path.exists():
        key = identity.new_key()
        identity.write(key_path, identity.encode_key(key), 0o600, _owner())
        made.append(KEY)
    else:
        key = identity.read_key(key_path)
    if not identity.is_request_for(request_path, key, user):
        identity.write(request_path, identity.request(key, user), 0o644, None)
        made.append(REQUEST)
    return made, identity.fingerprint(key)


def _owner() -> int | None:
    """The service's user, who must be able to read the key; None: whoever runs this."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_SERVICE_USER).pw_uid
    except KeyError:
        return None


def _told(
    directory: Path, names: tuple[str, str, str], user: str, fingerprint: str, made: list[str]
) -> str:
    organization, facility, gateway = names
    new = f"made {' and '.join(made)}" if made else "everything was there, nothing was changed"
    return f"""\
{directory}: {new}

For ops
  gateway      {gateway}
  facility     {organization}/{facility}
  broker user  {user}
  key          SHA-256 {fingerprint}
  1. enter the gateway and its readers in the site file: biotrakr site load
  2. sign {directory / REQUEST}, after comparing the key's fingerprint:
       biotrakr keys ... sign {REQUEST}
     or, for a broker that asks for passwords: biotrakr keys ... add {user}
  3. send back the certificate (or the password), and the authority's ca.crt

For this gateway: put them into {directory}, and into gateway.toml
  organization = "{organization}"
  facility = "{facility}"
  gateway = "{gateway}"
  [broker]
  ca_file = "{directory / "ca.crt"}"
  cert_file = "{directory / CERTIFICATE}"
  key_file = "{directory / KEY}"
"""
