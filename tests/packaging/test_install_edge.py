"""config/install-edge.sh on a root of its own: install, upgrade, refuse, go back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """
organization = "acme"
facility = "north"
gateway = "g1"
[broker]
url = "mqtt://127.0.0.1:1"
[spool]
path = "{root}/spool.sqlite"
[[readers]]
name = "sim"
kind = "replay"
path = "{root}/run.jsonl"
"""
# What the service manager does, as far as the script asks for it.
MANAGER = """#!/bin/sh
echo "$@" >> "$BIOTRAKR_ROOT/asked"
[ "$1" = restart ] || exit 0
[ ! -e "$BIOTRAKR_ROOT/pid" ] || kill "$(cat "$BIOTRAKR_ROOT/pid")" 2>/dev/null
rm -f "$BIOTRAKR_ROOT/run/biotrakr/status.json"
[ ! -e "$BIOTRAKR_ROOT/broken" ] || { rm "$BIOTRAKR_ROOT/broken"; exit 0; }
RUNTIME_DIRECTORY=$BIOTRAKR_ROOT/run/biotrakr "$BIOTRAKR_ROOT/opt/biotrakr/bin/biotrakr-edge" \\
    run --config "$BIOTRAKR_ROOT/etc/biotrakr/gateway.toml" >/dev/null 2>&1 &
echo $! > "$BIOTRAKR_ROOT/pid"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


class Gateway:
    def __init__(self, root: Path, wheel: Path) -> None:
        self.root, self._wheel = root, wheel
        manager = root / "systemctl"
        manager.write_text(MANAGER)
        manager.chmod(0o755)
        # What the wheel needs is here already; only the wheel itself is installed.
        packages = next(p for p in sys.path if p.endswith("site-packages"))
        self._environment = os.environ | {
            "BIOTRAKR_ROOT": str(root), "SYSTEMCTL": str(manager), "PYTHON": sys.executable,
            "PIP_OPTIONS": "--no-deps", "PYTHONPATH": packages, "WAIT_S": "6",
        }  # fmt: skip

    def install(self) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", str(ROOT / "config/install-edge.sh"), str(self._wheel)],
            env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    @property
    def link(self) -> str:
        return str((self.root / "opt/biotrakr").readlink())

    def stop(self) -> None:
        pid = self.root / "pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), 9)


@pytest.fixture
def machine(tmp_path, wheel):
    machine = Gateway(tmp_path, wheel)
    yield machine
    machine.stop()
    time.sleep(0.1)


@pytest.mark.long  # four virtual environments
def test_install_upgrade_refuse_and_go_back(machine: Gateway) -> None:
    status, said = machine.install()
    assert status == 0 and "installed, not started" in said, said
    settings = machine.root / "etc/biotrakr/gateway.toml"
    assert settings.read_text() == (ROOT / "config/examples/gateway.toml").read_text()
    unit = machine.root / "etc/systemd/system/biotrakr-edge.service"
    assert unit.read_text() == (ROOT / "config/systemd/biotrakr-edge.service").read_text()
    assert "restart" not in (machine.root / "asked").read_text()

    settings.write_text(CONFIG.format(root=machine.root))
    status, said = machine.install()
    assert status == 0 and "in use: 0." in said, said
    good = machine.link
    assert settings.read_text() == CONFIG.format(root=machine.root)  # what is there stays

    settings.write_text(CONFIG.format(root=machine.root) + "colour = 1\n")
    status, said = machine.install()
    assert status == 1 and "colour: unknown key" in said and "does not accept" in said
    assert machine.link == good
    settings.write_text(CONFIG.format(root=machine.root))

    (machine.root / "broken").write_text("the next version does not start")
    status, said = machine.install()
    assert status == 1 and "the one before is in use again" in said, said
    assert machine.link == good
    # Two environments at most: the one in use and the one before.
    assert len(list((machine.root / "opt/biotrakr-versions").iterdir())) <= 2
