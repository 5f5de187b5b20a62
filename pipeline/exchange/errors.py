"""Errors of import and export.

ExchangeError
├── TableFileError    a file that cannot be read as a table: nothing was written
└── MappingError      headers and columns do not fit together: nothing was written
"""

from __future__ import annotations


class ExchangeError(ValueError):
    """What the user has to change, in one line or a few."""


class TableFileError(ExchangeError):
    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class MappingError(ExchangeError):
    """The message names each header or column at fault."""
