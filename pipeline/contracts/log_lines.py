"""Log lines, of the same shape in every program: one event is one line, without a password.

    log.info("connected %s", fields(broker="mqtt://broker", tries=2))

text  2026-01-02T03:04:05.678Z INFO edge.publisher connected broker=mqtt://broker tries=2
json  {"time": "2026-01-02T03:04:05.678Z", "level": "INFO", "logger": "edge.publisher",
       "message": "connected", "fields": {"broker": "mqtt://broker", "tries": 2}}

JSON lines also have `exception` when there is one. Times are UTC with milliseconds.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any, Literal

Format = Literal["text", "json"]
FORMATS: tuple[Format, ...] = ("text", "json")

_IN_ADDRESS = re.compile(r"(\w://[^\s/:@]*):\S*@")
"""The password of an address: greedy, so one with `@` or `/` in it goes as a whole."""
_SECRET = "pass(?:word|wd|phrase)|secret|token"  # noqa: S105 (names of secrets)
_IN_SETTINGS = re.compile(rf"(?i)({_SECRET})(\s*=\s*)('[^']*'|[^\s,;]+)")
_SECRET_NAME = re.compile(rf"(?i)(?:.*_)?(?:{_SECRET})")
_HIDDEN = "***"


def hide_secrets(text: str) -> str:
    """Replaces passwords in addresses (`mqtt://user:...@host`) and in `password=...`."""
    return _IN_SETTINGS.sub(rf"\1\2{_HIDDEN}", _IN_ADDRESS.sub(rf"\1:{_HIDDEN}@", text))


class Fields(dict[str, Any]):
    """Named values of an event. As text `key=value ...`; values with blanks are quoted."""

    def __str__(self) -> str:
        return " ".join(f"{key}={_quoted(value)}" for key, value in self.items())


def fields(**values: Any) -> Fields:
    """The last argument of a log call whose message ends in `%s`."""
    return Fields(values)


class TextLine(logging.Formatter):
    """UTC, one physical line whatever the message holds."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record)).replace("\r", "\\r").replace("\n", "\\n")


class JsonLine(logging.Formatter):
    """One JSON object a line; what JSON cannot hold is written as text."""

    def __init__(self) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        message, named = _message(record)
        line: dict[str, Any] = {
            "time": f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": hide_secrets(message),
        }
        if named:
            line["fields"] = {key: _plain(key, value) for key, value in named.items()}
        if record.exc_info:
            line["exception"] = hide_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, allow_nan=False)


def configure(level: str = "INFO", form: Format = "text") -> None:
    """Log to standard error, from now on and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if form == "json" else TextLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _message(record: logging.LogRecord) -> tuple[str, Fields]:
    """The message without its fields, and the fields."""
    # The logging module unpacks a mapping that is the only argument.
    arguments = record.args if isinstance(record.args, tuple) else (record.args,)
    named = Fields()
    for argument in arguments:
        if isinstance(argument, Fields):
            named |= argument
    if not named:
        return record.getMessage(), named
    rest = tuple("" if isinstance(argument, Fields) else argument for argument in arguments)
    return (str(record.msg) % rest).rstrip(), named


def _plain(name: str, value: Any) -> Any:
    if _SECRET_NAME.fullmatch(name):
        return _HIDDEN
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and value - value == 0:  # neither infinite nor no number
        return value
    return hide_secrets(str(value))


def _quoted(value: Any) -> str:
    text = str(value)
    return repr(text) if not text or any(mark in text for mark in ' "=\n') else text
