"""The machine's apt sources, in both of their forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.embedded import UnsupportedPlatformError
from pipeline.embedded.sources import (
    MIRROR_VARIABLE,
    Source,
    debian_mirrors,
    parse_deb822,
    parse_one_line,
)

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib  # with a comment
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] https://other.example/apt stable main
deb http://security.example/debian-security bookworm-security main
"""

DEB822 = """\
# A comment, then two stanzas and a disabled one.
Types: deb deb-src
URIs: http://mirror.example/debian
  http://second.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

types: deb
uris: http://security.example/debian-security
suites: trixie-security
components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: trixie
Components: main
"""


def test_one_line_form() -> None:
    assert list(parse_one_line(ONE_LINE)) == [
        Source("http://mirror.example/debian", ("bookworm",), ("main", "contrib")),
        Source("https://other.example/apt", ("stable",), ("main",)),
        Source("http://security.example/debian-security", ("bookworm-security",), ("main",)),
    ]


def test_stanza_form() -> None:
    assert list(parse_deb822(DEB822)) == [
        Source("http://mirror.example/debian", ("trixie", "trixie-updates"), ("main",)),
        Source("http://second.example/debian", ("trixie", "trixie-updates"), ("main",)),
        Source("http://security.example/debian-security", ("trixie-security",), ("main",)),
    ]


@pytest.mark.parametrize(
    ("suite", "component", "expected"),
    [
        ("bookworm", "main", True),
        ("trixie-updates", "main", True),
        ("stable", "main", True),
        ("bookworm-security", "main", False),
        ("noble", "main", False),
        ("bookworm", "stable", False),
    ],
)
def test_which_sources_are_debians(suite: str, component: str, expected: bool) -> None:
    assert Source("http://mirror.example/x", (suite,), (component,)).is_debian is expected


def _machine_with(sources: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sources.list").write_text(sources)
    (folder / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "{folder}/parts";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(folder / "apt.conf"))
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)


def test_the_likeliest_mirror_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = "deb http://a.example/x stable main\ndeb http://b.example/debian bookworm main\n"
    _machine_with(sources, tmp_path, monkeypatch)
    assert debian_mirrors() == ["http://b.example/debian", "http://a.example/x"]


def test_the_stanza_form_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine_with("", tmp_path, monkeypatch)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/debian.sources").write_text(DEB822)
    assert debian_mirrors() == ["http://mirror.example/debian", "http://second.example/debian"]


def test_no_debian_mirror_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine_with("deb http://a.example/ubuntu noble main\n", tmp_path, monkeypatch)
    with pytest.raises(UnsupportedPlatformError, match=MIRROR_VARIABLE) as caught:
        debian_mirrors()
    assert "docker compose" in str(caught.value)


def test_a_mirror_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, "http://mine.example/debian")
    assert debian_mirrors() == ["http://mine.example/debian"]
