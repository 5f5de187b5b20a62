"""The cache of programs: filled once, by one process, and rebuilt when it is damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.embedded import Installation, PrepareError, UnsupportedPlatformError, prepare
from pipeline.embedded.cache import CACHE_VARIABLE, MANIFEST
from pipeline.embedded.relocate import check_libraries
from pipeline.embedded.sources import MIRROR_VARIABLE

PREPARE = [sys.executable, "-m", "pipeline.embedded", "prepare"]
BUILT = "downloading"


@pytest.fixture
def empty_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    yield folder / "embedded"


def _prepare_in_two_processes() -> list[tuple[str, str]]:
    both = [
        subprocess.Popen(PREPARE, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    return outputs


def test_built_once_by_two_processes_and_again_when_damaged(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_cache.mkdir()
    outputs = _prepare_in_two_processes()
    assert sum(BUILT in errors for _, errors in outputs) == 1
    assert len({root for root, _ in outputs}) == 1
    root = Path(outputs[0][0].strip())

    # nothing but the programs and the lock is left, and now neither apt nor a network is needed
    assert sorted(path.name for path in empty_cache.iterdir()) == [root.name, f"{root.name}.lock"]
    with monkeypatch.context() as without_apt:
        without_apt.setenv("PATH", "/nonexistent")
        assert prepare().root == root

    psql = prepare().psql
    psql.write_bytes(psql.read_bytes()[:1000])
    steps: list[str] = []
    assert prepare(steps.append).root == root
    assert "1 files changed, such as usr/lib/postgresql/17/bin/psql" in steps[0]
    assert any(BUILT in step for step in steps)
    assert "PostgreSQL" in subprocess.check_output([psql, "--version"], text=True)


@pytest.mark.parametrize("damage", ["no manifest", "bad manifest", "moved", "file gone"])
def test_damage_is_noticed(
    damage: str,
    installation: Installation,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = empty_cache / installation.root.name
    (copy / "usr").mkdir(parents=True)
    (copy / "usr/file").write_text("content")
    manifest = copy / MANIFEST
    files = '{"usr/file": [7, 0], "usr/gone": [7, 0]}'
    where = "/elsewhere" if damage == "moved" else copy
    manifest.write_text(f'{{"root": "{where}", "files": {files}}}')
    if damage == "no manifest":
        manifest.unlink()
    if damage == "bad manifest":
        manifest.write_text("{")
    # a build would follow; without apt it fails, and that is what shows the decision to build
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UnsupportedPlatformError):
        prepare()


def test_elsewhere_than_on_debian(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UnsupportedPlatformError) as caught:
        prepare()
    assert "apt-get is missing" in caught.value.reason
    for way_out in ("docker compose", "BIOTRAKR_DATABASE_URL", "BIOTRAKR_MQTT_URL"):
        assert way_out in str(caught.value)
    assert not empty_cache.exists()


def test_a_mirror_that_does_not_answer(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, "http://127.0.0.1:9/debian")
    with pytest.raises(PrepareError) as caught:
        prepare()
    assert caught.value.step == "reading Debian's package index"
    assert "127.0.0.1:9" in caught.value.output
    assert not list(empty_cache.glob(".*-build-*"))


def test_an_unsigned_mirror_is_refused(
    empty_cache: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = empty_cache.parent / "mirror"
    release = mirror / "dists/trixie"
    release.mkdir(parents=True)
    (release / "Release").write_text("Suite: trixie\nCodename: trixie\nComponents: main\n")
    monkeypatch.setenv(MIRROR_VARIABLE, f"file:{mirror}")
    with pytest.raises(PrepareError, match="not signed"):
        prepare()


def test_every_program_uses_our_libraries_only(installation: Installation) -> None:
    check_libraries(installation.root)
