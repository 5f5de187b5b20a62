"""`biotrakr --log-format`: both programs write lines of one shape."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.logs import configure as configure_agent
from edge_agent.logs import fields
from pipeline.cli.main import main


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def _say(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    logging.getLogger("test.shape").warning("lost %s", fields(url="mqtt://u:hunter2@h", tries=2))
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--log-format", "json", "health", "--fresh", str(tmp_path)])
    one = json.loads(_say(capsys))
    configure_agent("INFO", "json")
    other = json.loads(_say(capsys))
    assert one | {"time": ""} == other | {"time": ""}
    assert one["fields"] == {"url": "mqtt://u:***@h", "tries": 2}


def test_text_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["health", "--fresh", str(tmp_path)])
    one = _say(capsys).split(" ", 1)[1]
    configure_agent("INFO")
    assert one == _say(capsys).split(" ", 1)[1]
    assert one == "WARNING test.shape lost url=mqtt://u:***@h tries=2"


def test_no_other_format(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--log-format", "xml", "health"])
    assert "--log-format" in capsys.readouterr().err
