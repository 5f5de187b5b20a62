"""Errors of the evaluation.

InputError      a file that cannot be used: which, in which line, and what to do
"""

from __future__ import annotations

from pathlib import Path


class InputError(Exception):
    """`line` counts from 1, the heading included; None: the file as a whole."""

    def __init__(self, path: Path, problem: str, line: int | None = None) -> None:
        where = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{where}: {problem}")
        self.path, self.problem, self.line = path, problem, line
