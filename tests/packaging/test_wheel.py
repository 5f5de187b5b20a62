"""The wheel carries what the programs need beside their code."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_sql_file_is_inside(unpacked: Path) -> None:
    inside = {p.relative_to(unpacked / "pipeline/_files/sql") for p in _files(unpacked)}
    ours = {p.relative_to(ROOT / "sql") for p in (ROOT / "sql").rglob("*.sql")}
    assert ours <= inside


def _files(unpacked: Path) -> list[Path]:
    return list((unpacked / "pipeline/_files/sql").rglob("*.sql"))


def test_an_installed_copy_finds_its_sql_and_acl(unpacked: Path) -> None:
    code = (
        "from pipeline.database.files import sql_folder\n"
        "from pipeline.embedded.mosquitto import production_acl\n"
        "assert (sql_folder() / 'migrations').is_dir(), sql_folder()\n"
        "assert 'pattern' in production_acl()\n"
        "import pipeline.cli.main, edge_agent.cli\n"
        "print(sql_folder())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=unpacked,
        env={
            "PYTHONPATH": str(unpacked),
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(unpacked))


def test_no_tests_and_no_caches_inside(unpacked: Path) -> None:
    names = [str(p.relative_to(unpacked)) for p in unpacked.rglob("*")]
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]
