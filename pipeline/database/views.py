"""In which order views are made: one that reads another comes after it.

Read from the text, so that no file has to say it twice. Beside its view a file may make functions
that take what the view takes for granted: `f_v_x(as_of)`, of which `v_x` is the case of `now()`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from pipeline.database.errors import SqlFileError

_COMMENT_OR_STRING = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_READ = re.compile(r"\breporting\.([a-z0-9_]+)")
_MADE = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(view|function)\s+reporting\.([a-z0-9_]+)")


def functions_made(text: str) -> list[str]:
    """Names, without schema, of the functions that a view's file makes."""
    return [name for kind, name in _MADE.findall(_bare(text)) if kind == "function"]


def in_order(texts: Mapping[str, str]) -> list[str]:
    """Names of views, given name -> SQL. Raises SqlFileError for views that read each other."""
    bare = {view: _bare(text) for view, text in texts.items()}
    makers = {name: view for view, text in bare.items() for _, name in _MADE.findall(text)}
    sorter = TopologicalSorter(
        {
            view: sorted({makers[name] for name in _READ.findall(text) if name in makers} - {view})
            for view, text in bare.items()
        }
    )
    try:
        return list(sorter.static_order())
    except CycleError as error:
        names: list[str] = error.args[1]
        raise SqlFileError(f"views/{names[0]}.sql", f"a circle: {' -> '.join(names)}") from None


def _bare(text: str) -> str:
    return _COMMENT_OR_STRING.sub("", text).lower()
