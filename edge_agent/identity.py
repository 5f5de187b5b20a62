"""A gateway's key and certificate request, by the cryptography library. For provisioning only."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def encode_key(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(path: Path) -> Key:
    """Raises OSError, also when it is something else: then --force has to be said."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise OSError(f"{path} is no private key ({error}); --force makes a new one") from None
    if not isinstance(key, Key):
        raise OSError(f"{path} is another kind of key; --force makes a new one")
    return key


def request(key: Key, user: str) -> bytes:
    """Names the broker's user and nothing else: the broker's access list goes by that."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(user))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def is_request_for(path: Path, key: Key, user: str) -> bool:
    try:
        found = x509.load_pem_x509_csr(path.read_bytes())
    except (OSError, ValueError):
        return False
    return found.subject == _subject(user) and _public(found) == _public(key)


def fingerprint(key: Key) -> str:
    """Of the public key, in groups that can be read out on the telephone."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(_public(key))
    text = digest.finalize().hex()
    return ":".join(text[n : n + 4] for n in range(0, len(text), 4))


def write(path: Path, content: bytes, mode: int, owner: int | None) -> None:
    """All or nothing, never readable by others meanwhile. Raises OSError."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(descriptor, mode)
        if owner is not None:
            os.fchown(descriptor, owner, -1)
        os.fsync(descriptor)
    draft.replace(path)


def _subject(user: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _public(owner: Key | x509.CertificateSigningRequest) -> bytes:
    return owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
