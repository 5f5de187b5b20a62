"""Each mistake: one clear message, exit status 2, nothing started."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_site import SITE_DATA

EDGE = """\
organization = "acme"
facility = "north"
gateway = "gw"
{extra}
[broker]
url = "mqtt://127.0.0.1:1"
[spool]
path = "{spool}"
[[readers]]
name = "portal"
kind = "serial"
protocol = "r2000"
port = "{port}"
"""


def _run(module: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"} | environment,
    )


def _one_message(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if all(word in line for word in words)]
    assert len(told) == 1, done.stderr


@pytest.mark.parametrize(
    ("extra", "port", "words"),
    [
        ("merge_windows = 2.0", "/dev/null", ("merge_windows", "unknown key")),
        ("", "/dev/does-not-exist", ("readers[0].port", "does not exist")),
    ],
)
def test_agent(tmp_path: Path, extra: str, port: str, words: tuple[str, ...]) -> None:
    config, spool = tmp_path / "gateway.toml", tmp_path / "spool.sqlite"
    config.write_text(EDGE.format(extra=extra, port=port, spool=spool))
    _one_message(_run("edge_agent.cli", "run", "--config", config), *words)
    assert not spool.exists()


def _crossing(site: dict[str, Any]) -> None:
    room = site["buildings"][0]["floors"][0]["rooms"][0]
    room["polygon"] = [[0, 0], [8, 6], [8, 0], [0, 6]]


def _same_receiver(site: dict[str, Any]) -> None:
    receivers = site["buildings"][0]["gateways"][0]["receivers"]
    receivers[1]["name"] = receivers[0]["name"]


def _unknown_key(site: dict[str, Any]) -> None:
    site["buildings"][0]["colour"] = "white"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_crossing, ("floors[0].rooms[0].polygon", "crosses itself")),
        (_same_receiver, ("gateways[0].receivers", "'ble0'", "2 times")),
        (_unknown_key, ("buildings[0].colour",)),
    ],
)
def test_site_file(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], words: tuple[str, ...]
) -> None:
    site = copy.deepcopy(SITE_DATA)
    spoil(site)
    path = tmp_path / "site.json"
    path.write_text(json.dumps(site))
    for action in ("check", "load"):
        _one_message(
            _run("pipeline.cli.main", "site", action, path, BIOTRAKR_DATABASE_URL="unused"), *words
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[timing]\nwindows_s = 1\n", ("timing.windows_s",)),
        ("epoch_s = 'soon'\n", ("epoch_s",)),
        ("[policy\n", ("cannot be read",)),
        ("mqtt_url = 'http://x'\ndatabase_url = 'postgresql://u@127.0.0.1:1/d'\n", ("mqtt_url",)),
        (
            "mqtt_url = 'mqtt://127.0.0.1:1'\ndatabase_url = 'postgresql://u@127.0.0.1:1/d'\n",
            ("database_url", "127.0.0.1:1"),
        ),
        ("", ("BIOTRAKR_DATABASE_URL",)),
    ],
)
def test_pipeline(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    config, recovery = tmp_path / "pipeline.toml", tmp_path / "recovery"
    config.write_text(text)
    done = _run("pipeline.cli.main", "run", "--config", config, "--recovery-directory", recovery)
    _one_message(done, *words)
    assert not recovery.exists()
