"""`biotrakr site load`: a report that people can read, and nothing to do the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_site import SITE_DATA

from pipeline.cli.main import main
from pipeline.cli.stack import Stack


def test_load_twice(running: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = json.loads(json.dumps(SITE_DATA))
    site["assets"][0]["name"] = "Infusion pump, renamed"
    path = tmp_path / "site.json"
    path.write_text(json.dumps(site))
    command = ["site", "load", str(path), "--database-url", running.database_url]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert main(command) == 0
    second = capsys.readouterr().out
    assert any("asset" in line and "1 changed" in line for line in first.splitlines()), first
    assert second.strip() == "nothing changed"
