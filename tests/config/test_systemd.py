"""config/systemd: the units are hardened, and systemd can read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "config/systemd").glob("*.service"))
WANTED = {
    "NoNewPrivileges=true",
    "ProtectSystem=strict",
    "ProtectHome=true",
    "PrivateTmp=true",
    "ProtectKernelTunables=true",
    "ProtectKernelModules=true",
    "ProtectControlGroups=true",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=true",
    "LockPersonality=true",
    "Restart=always",
    "StartLimitIntervalSec=0",
}

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)


@each_unit
def test_hardening(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert set(lines) >= WANTED
    assert any(line.startswith("MemoryMax=") for line in lines)
    users = [line for line in lines if line.startswith(("User=", "DynamicUser="))]
    assert users in (["User=biotrakr"], ["DynamicUser=true"])


@each_unit
def test_no_secret(unit: Path) -> None:
    given = [line for line in unit.read_text().splitlines() if line.startswith("Environment=")]
    assert all(line.split("=")[1].endswith("_FILE") for line in given)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@each_unit
def test_systemd_reads_it(unit: Path, tmp_path: Path) -> None:
    # The programs of a unit must be there to be verified.
    program = shutil.which("true")
    text = unit.read_text()
    for name in ("biotrakr-edge", "biotrakr"):
        text = text.replace(f"/opt/biotrakr/bin/{name} ", f"{program} ")
    copy = tmp_path / unit.name
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])
