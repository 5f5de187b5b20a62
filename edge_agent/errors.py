"""Errors of the edge agent.

EdgeError
├── SettingsError    the configuration file; carries every mistake, one line each
├── SpoolError       the spool cannot be used
│   └── SpoolTooNewError  it was written by a newer version: refuse, do not destroy
├── GaveUpError      only a new start of the agent can help
└── ReaderLostError       a reader went silent or away; its supervisor starts it again
"""

from __future__ import annotations

from collections.abc import Sequence


class EdgeError(Exception):
    """Something the agent reports rather than a programming error."""


class SettingsError(EdgeError):
    """`mistakes` are complete sentences, each with the path of its key."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


class SpoolError(EdgeError):
    """The spool cannot be opened or written: disk full, read-only, gone."""


class SpoolTooNewError(SpoolError):
    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(
            f"spool {path} has schema version {found}, this program knows up to {known}: "
            "install a newer biotrakr or move the file away"
        )
        self.found = found


class GaveUpError(EdgeError):
    """The service manager is asked to start the agent again."""


class ReaderLostError(EdgeError):
    """`silent`: it is there but says nothing (as opposed to gone or refused)."""

    def __init__(self, detail: str, *, silent: bool = False) -> None:
        super().__init__(detail)
        self.silent = silent
