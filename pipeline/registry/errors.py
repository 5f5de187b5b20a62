"""Errors of the registry.

RegistryError
└── SiteFileError    a site file that cannot be loaded; `problems` lists each one with its key
"""

from __future__ import annotations

from collections.abc import Sequence


class RegistryError(ValueError):
    """Master data that cannot be used."""


class SiteFileError(RegistryError):
    def __init__(self, path: str, problems: Sequence[str]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"{path}: {len(problems)} problem(s); nothing was loaded{lines}")
        self.problems = list(problems)
