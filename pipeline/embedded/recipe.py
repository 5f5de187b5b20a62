"""What is taken from Debian, and what of it is thrown away again."""

from __future__ import annotations

import hashlib

SUITE = "trixie"
POSTGRES_MAJOR = 17

SERVICES = (
    f"postgresql-{POSTGRES_MAJOR}",
    f"postgresql-client-{POSTGRES_MAJOR}",
    f"postgresql-{POSTGRES_MAJOR}-timescaledb",
    "mosquitto",
    "mosquitto-clients",
)

# The libraries those load, down to libc: the machine's own may be older than the suite's.
# `relocate.check_libraries` fails when one is missing from this list.
_LIBRARIES = """
    libc6 libgcc-s1 libstdc++6
    libpq5 libicu76 liblz4-1 libzstd1 zlib1g liblzma5 libxxhash0 libuuid1 libxml2 libxslt1.1
    libssl3t64 libgssapi-krb5-2 libkrb5-3 libkrb5support0 libk5crypto3 libcom-err2 libkeyutils1
    libldap2 libsasl2-2 libpam0g libaudit1 libcap-ng0 libselinux1 libpcre2-8-0
    libsystemd0 libcap2 libreadline8t64 libtinfo6
    libmosquitto1 libcjson1 libdlt2 libwebsockets19t64 libwrap0
"""
LIBRARIES = tuple(_LIBRARIES.split())

PACKAGES = SERVICES + LIBRARIES

# Just-in-time compilation is off (its library alone would double the download), so its byte
# code goes; documentation and translations go because nobody reads them here.
UNWANTED = (
    f"usr/lib/postgresql/{POSTGRES_MAJOR}/lib/bitcode",
    f"usr/lib/postgresql/{POSTGRES_MAJOR}/lib/llvmjit.so",
    f"usr/lib/postgresql/{POSTGRES_MAJOR}/lib/llvmjit_types.bc",
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/man",
    f"usr/share/postgresql/{POSTGRES_MAJOR}/man",
    "etc",
    "var",
)

# Raise when the way of unpacking or patching changes; the lists above are hashed anyway.
REVISION = 1


def version() -> str:
    """A short name that changes whenever the recipe does."""
    content = repr((REVISION, SUITE, PACKAGES, UNWANTED)).encode()
    return f"{SUITE}-{hashlib.sha256(content).hexdigest()[:10]}"
