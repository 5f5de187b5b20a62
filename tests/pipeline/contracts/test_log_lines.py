"""Log lines: one shape as text and as JSON, one line an event, never a password."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.contracts.log_lines import Format, configure, fields, hide_secrets

log = logging.getLogger("test.lines")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    """What was logged since the last call."""
    return lambda: capsys.readouterr().err.split("\n")[:-1]


def test_text(lines: Any) -> None:
    configure("INFO")
    log.debug("not this")
    log.info("connected %s", fields(broker="b", error="two words", empty=""))
    log.warning("%s of %d", "one", 2)
    first, second = lines()
    assert re.fullmatch(
        TIME + " INFO test.lines connected broker=b error='two words' empty=''", first
    )
    assert re.fullmatch(TIME + " WARNING test.lines one of 2", second)


def test_json(lines: Any) -> None:
    configure("INFO", "json")
    before = datetime.now(UTC)
    log.info("connected %s", fields(broker="b", tries=2, share=0.5, up=True, why=None))
    log.info("%d of %s %s", 1, "two", fields(at=float("nan")))
    log.info("plain 100 %")
    first, second, third = map(json.loads, lines())
    at = datetime.fromisoformat(first.pop("time"))
    assert abs((at - before).total_seconds()) < 5
    assert first == {
        "level": "INFO",
        "logger": "test.lines",
        "message": "connected",
        "fields": {"broker": "b", "tries": 2, "share": 0.5, "up": True, "why": None},
    }
    assert (second["message"], second["fields"]) == ("1 of two", {"at": "nan"})
    assert third["message"] == "plain 100 %"
    assert "fields" not in third
    assert list(third) == ["time", "level", "logger", "message"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_one_line(lines: Any, form: Format) -> None:
    configure("INFO", form)
    try:
        raise ValueError("a\nb \r\u2028")
    except ValueError:
        log.exception("failed\nbadly")
    (line,) = lines()
    assert "Traceback" in line
    assert "ValueError: a" in line
    if form == "json":
        told = json.loads(line)
        assert told["message"] == "failed\nbadly"
        assert "test_an_exception_is_one_line" in told["exception"]


ADDRESSES = [
    ("mqtts://pipeline:hunter2@broker:8883", "mqtts://pipeline:***@broker:8883"),
    ("(postgresql://u:hunter2@h/d)", "(postgresql://u:***@h/d)"),
    ("postgresql://u:hunter2@hunter2/hunter2@h/d", "postgresql://u:***@h/d"),
    ("mqtt://:hunter2@h", "mqtt://:***@h"),
    ("host=h password=hunter2 user=u", "host=h password=*** user=u"),
    ("host=h password='hunter2 hunter2' user=u", "host=h password=*** user=u"),
    ("BIOTRAKR_MQTT_PASSWORD=hunter2", "BIOTRAKR_MQTT_PASSWORD=***"),
]


@pytest.mark.parametrize(("secret", "shown"), ADDRESSES)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_password(lines: Any, form: Format, secret: str, shown: str) -> None:
    """In the message, in its arguments, in a field, in an exception and in what caused it."""
    assert hide_secrets(secret) == shown
    configure("INFO", form)
    log.info(secret)
    log.info("cannot reach %s", secret)
    log.info("cannot reach %s", fields(url=secret, password="hunter2"))
    try:
        try:
            raise OSError(secret)
        except OSError as error:
            raise RuntimeError("again") from error
    except RuntimeError:
        log.exception("cannot reach")
    written = "\n".join(lines())
    assert "hunter2" not in written
    assert written.count("***") >= 4


@pytest.mark.parametrize(
    "harmless", ["mqtt://broker:1883", "12:30 a@b", "password_file=/etc/p", "the password is wrong"]
)
def test_what_is_no_password_stays(harmless: str) -> None:
    assert hide_secrets(harmless) == harmless


def test_only_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    configure("INFO", "json")
    log.info("once")
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("once")) == ("", 1)
    assert sys.stderr is not None
