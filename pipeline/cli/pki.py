"""A private certificate authority and the broker's certificate, made by the openssl command.

For a site that has no authority of its own. Everything lies in one folder: ca.key and ca.crt,
server.key and server.crt, and server.names, which says whom the certificate was made for.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.cli.errors import CliError
from pipeline.contracts.errors import TopicError
from pipeline.contracts.topics import gateway_user

AUTHORITY_DAYS = 3650
SERVER_DAYS = 825
RENEW_BEFORE_DAYS = 90
"""One that ends sooner is made anew. Gateways trust the authority, so they need nothing new."""

_NAME = re.compile(r"[A-Za-z0-9*.:-]+")
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def ensure_certificates(folder: Path, names: Sequence[str]) -> bool:
    """Make what is missing, was made for other names or soon ends. Returns whether it did.

    `names`: host names and addresses under which gateways reach the broker.
    """
    _check_names(names)
    if not (folder / "ca.crt").exists():
        _make_authority(folder)
    if _is_good(folder, names):
        return False
    _make_server(folder, names)
    return True


def sign_gateway(folder: Path, request: str, days: int) -> tuple[str, str]:
    """A certificate for the request (PEM) of a gateway: the broker's user, and the certificate.

    It lets its owner in as that user and as nothing else; the request's signature shows that the
    sender has the key. Raises CliError.
    """
    if not (folder / "ca.key").exists():
        raise CliError(f"{folder} has no authority yet: biotrakr keys make")
    with tempfile.TemporaryDirectory() as scratch:
        asked, extensions, certificate = (Path(scratch, name) for name in ("csr", "ext", "crt"))
        asked.write_text(request)
        user = _requested_user(asked)
        extensions.write_text(
            "basicConstraints=critical,CA:FALSE\n"
            "keyUsage=critical,digitalSignature\n"
            "extendedKeyUsage=clientAuth\n"
            "authorityKeyIdentifier=keyid\n"
        )
        _openssl(
            "x509", "-req", "-in", asked, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
            "-set_serial", f"0x5{secrets.token_hex(15)}", "-days", str(days), "-sha256",
            "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        return user, certificate.read_text()


def _requested_user(request: Path) -> str:
    said = _verified("req", "-in", request, "-noout", "-verify", "-subject", "-nameopt",
                         "RFC2253")  # fmt: skip
    found = re.search(r"^subject=CN=([^,+\n]+)$", said, re.MULTILINE)
    parts = found[1].split("/") if found else []
    try:
        if len(parts) == 4 and parts[2] == "gateways":
            return gateway_user(parts[0], parts[1], parts[3])
    except TopicError:
        pass
    raise CliError(
        "the request does not name a gateway (organization/facility/gateways/name) and nothing "
        "else: make it with biotrakr-edge provision"
    )


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise CliError(f"{name!r} is neither a host name nor an address")


def _is_good(folder: Path, names: Sequence[str]) -> bool:
    written = folder / "server.names"
    if not written.exists() or written.read_text().split() != list(names):
        return False
    seconds = str(RENEW_BEFORE_DAYS * 86_400)
    certificate = folder / "server.crt"
    return _openssl("x509", "-in", certificate, "-noout", "-checkend", seconds, may_fail=True)


def _make_authority(folder: Path) -> None:
    extensions = ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"]
    added = [word for extension in extensions for word in ("-addext", extension)]
    _openssl(
        "req", "-x509", *_KEY, "-days", str(AUTHORITY_DAYS), "-subj", "/CN=BioTrakr broker CA",
        *added, "-keyout", folder / "ca.key", "-out", folder / "ca.crt",
    )  # fmt: skip


def _make_server(folder: Path, names: Sequence[str]) -> None:
    (folder / "server.names").unlink(missing_ok=True)
    (folder / "server.ext").write_text(
        f"subjectAltName={','.join(map(_alternative, names))}\n"
        "basicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\n"
        "authorityKeyIdentifier=keyid\n"
    )
    request = folder / "server.csr"
    key = folder / "server.key"
    _openssl("req", "-new", *_KEY, "-subj", "/CN=BioTrakr broker", "-keyout", key, "-out", request)
    _openssl(
        "x509", "-req", "-in", request, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
        "-set_serial", f"0x5{secrets.token_hex(15)}", "-days", str(SERVER_DAYS), "-sha256",
        "-extfile", folder / "server.ext", "-out", folder / "server.crt",
    )  # fmt: skip
    request.unlink()
    # Last, so that a run that was cut short is done again.
    (folder / "server.names").write_text("\n".join(names))


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _verified(*arguments: str | Path) -> str:
    done = _run_openssl(arguments)
    # Some releases verify a signature, say that it is wrong, and succeed.
    if done.returncode or "verify OK" not in done.stderr:
        raise CliError("this is no certificate request, or its signature is wrong")
    return done.stdout


def _openssl(*arguments: str | Path, may_fail: bool = False) -> bool:
    done = _run_openssl(arguments)
    if done.returncode and not may_fail:
        raise CliError(f"openssl {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.returncode == 0


def _run_openssl(arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    command = ["openssl", *map(str, arguments)]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise CliError("openssl is missing: install it, it makes the certificates") from None
