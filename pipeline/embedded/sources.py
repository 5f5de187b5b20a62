"""Which Debian mirrors this machine already uses, read from its own apt sources."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.embedded.errors import UnsupportedPlatformError

MIRROR_VARIABLE = "BIOTRAKR_DEBIAN_MIRROR"

# A source is a candidate when its suite is one of Debian's. A third party may use the same
# names; its index is then refused because Debian's keyring did not sign it.
_RELEASES = ("buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid")
_ALIASES = ("oldoldstable", "oldstable", "stable", "testing", "unstable", "experimental")
_DEBIAN_SUITES = frozenset(_RELEASES + _ALIASES)
_KEYRINGS = tuple(
    Path("/usr/share/keyrings") / f"debian-archive-keyring.{suffix}" for suffix in ("pgp", "gpg")
)
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<rest>.+)$")


@dataclass(frozen=True, slots=True)
class Source:
    """One enabled binary source: an address, its suites and its components."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]

    @property
    def is_debian(self) -> bool:
        """Whether the suites are Debian's own (not its security archive's)."""
        return "main" in self.components and any(
            suite.partition("-")[0] in _DEBIAN_SUITES and "security" not in suite
            for suite in self.suites
        )


def debian_mirrors() -> list[str]:
    """Addresses that may carry Debian, the likeliest first.

    Raises UnsupportedPlatformError when the machine's apt sources name none.
    """
    if named := os.environ.get(MIRROR_VARIABLE):
        return [named]
    uris = {source.uri: None for source in machine_sources() if source.is_debian}
    if not uris:
        raise UnsupportedPlatformError(
            "the machine's apt sources name no Debian mirror "
            f"(set {MIRROR_VARIABLE} to the address of one you trust)"
        )
    return sorted(uris, key=lambda uri: not uri.rstrip("/").endswith("debian"))


def debian_keyring() -> Path:
    """The machine's copy of Debian's archive keys.

    Raises UnsupportedPlatformError when there is none: nothing unsigned is ever unpacked.
    """
    for keyring in _KEYRINGS:
        if keyring.exists():
            return keyring
    raise UnsupportedPlatformError(
        "Debian's archive keys are missing (package debian-archive-keyring)"
    )


def machine_sources() -> Iterator[Source]:
    """Every enabled binary source that apt itself would read."""
    for path in _source_files():
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield from parse_deb822(text) if path.suffix == ".sources" else parse_one_line(text)


def parse_one_line(text: str) -> Iterator[Source]:
    """Read the ``deb [options] address suite component...`` form."""
    for line in text.splitlines():
        if match := _ONE_LINE.match(line.partition("#")[0].strip()):
            suite, *components = match["rest"].split()
            yield Source(match["uri"], (suite,), tuple(components))


def parse_deb822(text: str) -> Iterator[Source]:
    """Read the stanza form (``Types:``, ``URIs:``, ``Suites:``, ``Components:``)."""
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", kept):
        fields = _fields(stanza)
        disabled = fields.get("enabled", ["yes"])[:1] in (["no"], ["false"], ["0"])
        if "deb" not in fields.get("types", []) or disabled:
            continue
        for uri in fields.get("uris", []):
            yield Source(uri, tuple(fields.get("suites", [])), tuple(fields.get("components", [])))


def _fields(stanza: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    name = ""
    for line in stanza.splitlines():
        if line[:1].isspace():
            fields.get(name, []).extend(line.split())
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.split()
    return fields


def _source_files() -> list[Path]:
    command = ["apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f"]
    command += ["PARTS", "Dir::Etc::sourceparts/d"]
    try:
        output = subprocess.run(  # noqa: S603 - the command is written above
            command, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnsupportedPlatformError("apt's configuration cannot be read (apt-config)") from error
    named = dict(entry.split("=", 1) for entry in shlex.split(output))
    parts = Path(named.get("PARTS", ""))
    listed = [Path(named["LIST"])] if "LIST" in named else []
    return listed + sorted([*parts.glob("*.list"), *parts.glob("*.sources")])
