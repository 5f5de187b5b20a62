"""`biotrakr keys`: passwords and certificates, made once, and handed to those who need them.

For docker compose: `--out` holds one folder a container, mounted there and nowhere else, so none
sees another's. Runs as root with the one privilege to give files away, and without a network.

make         what is missing, for every gateway and organization of the site files
add NAME     a user of the broker (the ACL says what a name may do)
remove NAME  a user of the broker
renew NAME   a new password for a broker user or a database login
show NAME    a password
sign FILE    a gateway's certificate request (biotrakr-edge provision; - is standard input):
             prints the certificate
list         all names
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cli.errors import CliError
from pipeline.cli.pki import ensure_certificates, sign_gateway
from pipeline.cli.setup import (
    HISTORY_LOGIN,
    PIPELINE_LOGIN,
    add_site_options,
    analyst_login,
    read_sites,
)
from pipeline.cli.vault import Vault, hash_for_broker, open_vault, write_private
from pipeline.contracts.topics import gateway_user
from pipeline.registry.site_file import SiteFile
from pipeline.simulation.hospital import build_hospital
from pipeline.simulation.scenario import Scenario

PIPELINE_USER = "pipeline"
PROBE_USER = "broker/probe"
"""Matches no topic that exists: the health check only asks whether it is let in."""
SUPERUSER = "postgres"

# Where the containers find each other; the certificate is good for the first two in any case.
BROKER_NAMES = ("broker", "localhost", "127.0.0.1")
_BROKER = "broker:8883"
_DATABASE = "database:5432/biotrakr"
_CERTIFICATES = "/mosquitto/certs"

_ACTIONS = ("make", "add", "remove", "renew", "show", "sign", "list")
_NEED_NAME = ("add", "remove", "renew", "show", "sign")
_GATEWAY_DAYS = 1825


@dataclass(frozen=True)
class _Source:
    """What is handed out comes from here."""

    vault: Vault
    folder: Path
    mosquitto: Path


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "keys", help="passwords and certificates of an installation", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--vault", type=Path, required=True, help="the folder that keeps them")
    parser.add_argument("--out", type=Path, required=True, help="one folder a container")
    parser.add_argument(
        "--mosquitto", type=Path, required=True, help="mosquitto.conf and acl, see config/mosquitto"
    )
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("name", nargs="?")
    parser.add_argument(
        "--days", type=int, default=_GATEWAY_DAYS, help="of a signed certificate; default: 1825"
    )
    parser.add_argument(
        "--broker-names", default="", help="under which gateways reach the broker, with commas"
    )
    add_site_options(parser)
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    if (options.name is not None) != (options.action in _NEED_NAME):
        raise CliError(f"keys {options.action}: give one name" if options.name is None else
                       f"keys {options.action}: takes no name")  # fmt: skip
    with _private_files():
        return _work(options)


@contextmanager
def _private_files() -> Iterator[None]:
    """What is made in here is for its owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _work(options: argparse.Namespace) -> int:
    with open_vault(options.vault) as vault:
        if options.action == "show":
            print(vault.password(options.name))
            return 0
        if options.action == "sign":
            request = _request(options.name)
            user, certificate = sign_gateway(options.vault, request, options.days)
            print(f"{user}, for {options.days} days", file=sys.stderr)
            print(certificate, end="")
            return 0
        if options.action == "list":
            print("\n".join(sorted(vault.broker) + sorted(vault.database)))
            return 0
        _change(options, vault)
    # After the vault is stored: nobody is given a password that is then forgotten.
    _hand_out(_Source(vault, options.vault, options.mosquitto), options.out)
    return 0


def _request(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{name}: {error}") from None


def _change(options: argparse.Namespace, vault: Vault) -> None:
    if options.action == "make":
        _make(options, vault)
    elif options.action == "add":
        _check_user(options.name)
        vault.ensure(broker=[options.name])
    elif options.action == "remove":
        _remove(options.name, vault)
    else:
        _renew(options.name, vault)


def _remove(name: str, vault: Vault) -> None:
    if name in vault.database:
        raise CliError(f"{name} is a database login: drop it there, or renew it")
    if name in (PIPELINE_USER, PROBE_USER):
        raise CliError(f"{name} is needed; renew it instead")
    vault.password(name)
    del vault.broker[name]


def _renew(name: str, vault: Vault) -> None:
    if name == SUPERUSER:
        raise CliError(f"{SUPERUSER}: only the database itself can change this password")
    vault.password(name)
    if name in vault.broker:
        del vault.broker[name]
        vault.ensure(broker=[name])
    else:
        del vault.database[name]
        vault.ensure(database=[name])


def _make(options: argparse.Namespace, vault: Vault) -> None:
    sites = read_sites(options)
    organizations = sorted({site.organization.code for site in sites})
    users = [PIPELINE_USER, PROBE_USER, *organizations, *_gateway_users(sites)]
    logins = [SUPERUSER, PIPELINE_LOGIN, HISTORY_LOGIN, *map(analyst_login, organizations)]
    made = vault.ensure(broker=users, database=logins)
    names = [name.strip() for name in options.broker_names.split(",") if name.strip()]
    renewed = ensure_certificates(options.vault, [*BROKER_NAMES, *names])
    print(f"{len(made)} new password(s): {', '.join(made)}" if made else "no new passwords")
    print("new certificate for the broker" if renewed else "the broker's certificate is good")


def _gateway_users(sites: Sequence[SiteFile]) -> list[str]:
    return [
        gateway_user(site.organization.code, site.facility.code, gateway.code)
        for site in sites
        for building in site.buildings
        for gateway in building.gateways
    ]


def _check_user(name: str) -> None:
    if not name or set(name) & set(":+# \n\r\t\0"):
        raise CliError(f"{name!r} cannot be a user: it is empty, or has a space or one of : + #")


def _hand_out(source: _Source, out: Path) -> None:
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        if folder.name not in CONSUMERS:
            raise CliError(f"{folder}: nobody is called so; known: {', '.join(CONSUMERS)}")
        owner, files = CONSUMERS[folder.name]
        for name, text in files(source).items():
            write_private(folder / name, text, owner)


def _for_database(source: _Source) -> dict[str, str]:
    return {"superuser_password": source.vault.database[SUPERUSER]}


def _for_broker(source: _Source) -> dict[str, str]:
    passwords = source.vault.broker
    probe = {
        "-h": "localhost", "-p": "8883", "--cafile": f"{_CERTIFICATES}/ca.crt",
        "-u": PROBE_USER, "-P": passwords[PROBE_USER],
    }  # fmt: skip
    return {
        "mosquitto.conf": (source.mosquitto / "mosquitto.conf").read_text(),
        "acl": (source.mosquitto / "acl").read_text(),
        "passwords": "".join(f"{u}:{hash_for_broker(p)}\n" for u, p in sorted(passwords.items())),
        # Its options in a file: a command line can be read by whoever may list processes.
        "mosquitto_pub": "".join(f"{option} {value}\n" for option, value in probe.items()),
    }


def _for_broker_certificates(source: _Source) -> dict[str, str]:
    names = ("ca.crt", "server.crt", "server.key")
    return {name: (source.folder / name).read_text() for name in names}


def _for_pipeline(source: _Source) -> dict[str, str]:
    return {
        "database_url": _database_url(source, PIPELINE_LOGIN),
        "mqtt_url": f"mqtts://{PIPELINE_USER}:{source.vault.broker[PIPELINE_USER]}@{_BROKER}",
        "ca.crt": (source.folder / "ca.crt").read_text(),
    }


def _for_history(source: _Source) -> dict[str, str]:
    return {"database_url": _database_url(source, HISTORY_LOGIN)}


def _database_url(source: _Source, login: str) -> str:
    return f"postgresql://{login}:{source.vault.database[login]}@{_DATABASE}"


def _for_setup(source: _Source) -> dict[str, str]:
    logins = dict(source.vault.database)
    superuser = logins.pop(SUPERUSER)
    return {
        "database_url": f"postgresql://{SUPERUSER}:{superuser}@{_DATABASE}",
        "logins.json": json.dumps(logins),
    }


def _for_demo(source: _Source) -> dict[str, str]:
    users = _gateway_users([build_hospital(Scenario()).site])
    files = {"ca.crt": (source.folder / "ca.crt").read_text()}
    return files | {
        f"{user.rpartition('/')[2]}.password": source.vault.broker[user]
        for user in users
        if user in source.vault.broker
    }


CONSUMERS: dict[str, tuple[int, Callable[[_Source], dict[str, str]]]] = {
    "database": (70, _for_database),
    "broker-config": (1883, _for_broker),
    "broker-certs": (1883, _for_broker_certificates),
    "pipeline": (10001, _for_pipeline),
    "history": (10001, _for_history),
    "setup": (10001, _for_setup),
    "demo": (10001, _for_demo),
}
"""Folder -> the user of the container that reads it, and its files. The first three are the users
of the images of PostgreSQL and Mosquitto."""
