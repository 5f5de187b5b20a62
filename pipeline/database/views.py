"""In which order views are made: one that reads another comes after it.

Read from the text, so that no file has to say it twice. A view `v_x` may have a twin function that
takes the time as an argument, `f_x` or `f_v_x`, in the same file; the view is then the twin at
`now()`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from pipeline.database.errors import SqlFileError

_COMMENT_OR_STRING = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_REPORTING = re.compile(r"\breporting\.([a-z0-9_]+)")


def twin_names(view: str) -> tuple[str, str]:
    return f"f_{view}", f"f_{view.removeprefix('v_')}"


def in_order(texts: Mapping[str, str]) -> list[str]:
    """Names of views, given name -> SQL. Raises SqlFileError for views that read each other."""
    makers = {name: view for view in texts for name in (view, *twin_names(view))}
    sorter = TopologicalSorter(
        {
            view: sorted({makers[name] for name in _read(text) if name in makers} - {view})
            for view, text in texts.items()
        }
    )
    try:
        return list(sorter.static_order())
    except CycleError as error:
        names: list[str] = error.args[1]
        raise SqlFileError(f"views/{names[0]}.sql", f"a circle: {' -> '.join(names)}") from None


def _read(text: str) -> list[str]:
    return _REPORTING.findall(_COMMENT_OR_STRING.sub("", text))
