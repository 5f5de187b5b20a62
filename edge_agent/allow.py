"""The allow-list: which tags are forwarded. Keeps a crowded ward cheap."""

from __future__ import annotations

from collections.abc import Sequence

_MEMORY = 50_000
"""Tags whose decision is remembered; a bound against phones that change their address."""


class AllowList:
    """Exact tag names, or prefixes that end in `*`. An empty list allows everything."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._exact = {pattern for pattern in patterns if not pattern.endswith("*")}
        self._prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
        self._everything = not patterns
        self._known: dict[str, bool] = {}

    def __contains__(self, tag: str) -> bool:
        if self._everything:
            return True
        allowed = self._known.get(tag)
        if allowed is None:
            if len(self._known) >= _MEMORY:
                self._known.clear()
            allowed = tag in self._exact or tag.startswith(self._prefixes)
            self._known[tag] = allowed
        return allowed
