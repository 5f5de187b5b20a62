"""The catalogue of questions: one SQL file each under `sql/queries/<category>/`, with a header.

    -- name: U01 utilization_by_type
    -- title: one sentence: the question it answers
    -- audience: N, C
    -- param: from timestamptz = now - 30 days
    -- columns: facility, device_type,
    --          utilization_pct
    -- notes: what a reader must know

A line that is indented further goes on with the line above it. A parameter without `= ...` must be
given; `= null` may be left out. The SQL is one SELECT and uses `%(from)s::timestamptz`, each with
its cast; a percent sign is written `%%`. `-- role: operator` marks the few questions that look
across organizations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipeline.database.errors import DatabaseError, SqlFileError
from pipeline.database.files import sql_folder

AUDIENCES = {
    "B": "biomedical engineering",
    "N": "nurse managers",
    "C": "finance",
    "Q": "compliance",
    "O": "operations and IT",
}
TYPES = ("date", "timestamptz", "text", "uuid", "int", "numeric", "interval", "bool")

_HEADER = re.compile(r"--\s?([a-z]+):\s*(.*?)\s*")
_MORE = re.compile(r"--\s{2,}(.*?)\s*")
_NAME = re.compile(r"([A-Z]\d{2}) ([a-z][a-z0-9_]*)")
_PARAMETER = re.compile(r"([a-z][a-z0-9_]*) ([a-z]+)(?:\s*=\s*(.*))?")
_USED = re.compile(r"%\(([^)]*)\)s(::[a-z]+)?")
_BARE_PERCENT = re.compile(r"%(?!\()")
_ONCE = ("name", "title", "audience", "columns")
_KEYS = (*_ONCE, "param", "notes", "role")


class UnknownQuery(DatabaseError):
    """`near`: names that look like the one asked for."""

    def __init__(self, name: str, near: Sequence[str]) -> None:
        hint = f"did you mean {' or '.join(near)}?" if near else "biotrakr query list shows all"
        super().__init__(f"there is no query {name!r}; {hint}")
        self.name = name
        self.near = list(near)


@dataclass(frozen=True)
class Parameter:
    """`default` as the header writes it; None: must be given; "null": may be left out."""

    name: str
    type: str
    default: str | None

    def __str__(self) -> str:
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.name} {self.type}{default}"


@dataclass(frozen=True)
class Query:
    """`path` is relative to the folder; `operator`: looks across organizations."""

    code: str
    name: str
    category: str
    path: str
    title: str
    audience: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]
    notes: str
    operator: bool
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def body(self) -> str:
        """What is sent: without the header, in which a percent sign is only a percent sign."""
        return "\n".join(line for line in self.text.splitlines() if not line.startswith("--"))


def read_catalogue(folder: Path | None = None) -> list[Query]:
    """Every query in the order of its category and code. Raises SqlFileError for a bad header."""
    folder = folder or sql_folder()
    files = sorted((folder / "queries").glob("*/*.sql"))
    queries = [
        parse_query(path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix())
        for path in files
    ]
    queries.sort(key=lambda query: (query.category, query.code))
    seen: dict[str, Query] = {}
    for query in queries:
        for key in (query.code, query.name):
            other = seen.setdefault(key, query)
            if other is not query:
                raise SqlFileError(query.path, f"{key} is taken by {other.path}")
    return queries


def find_query(queries: Sequence[Query], name: str) -> Query:
    """By code, by name or by both, in any case. Raises UnknownQuery."""
    wanted = " ".join(name.replace("_", " ").replace("-", " ").lower().split())
    names = {_spoken(spelling): query for query in queries for spelling in _spellings(query)}
    if wanted in names:
        return names[wanted]
    near = get_close_matches(wanted, names, n=3, cutoff=0.6)
    raise UnknownQuery(name, list(dict.fromkeys(str(names[match]) for match in near))[:2])


def parse_query(text: str, path: str) -> Query:
    """Raises SqlFileError that names what is wrong."""
    found: dict[str, list[str]] = {}
    for key, value in _header(text):
        if key not in _KEYS:
            raise SqlFileError(path, f"{key!r} is not one of {', '.join(_KEYS)}")
        found.setdefault(key, []).append(value)
    for key in _ONCE:
        if len(found.get(key, [])) != 1 or not found[key][0]:
            raise SqlFileError(path, f"the header needs one line '-- {key}: ...'")
    name = _NAME.fullmatch(found["name"][0])
    if name is None:
        raise SqlFileError(path, "name: has the form 'U01 utilization_by_type'")
    if not Path(path).stem.endswith(name[2]):
        raise SqlFileError(path, f"the file must be named after {name[2]}")
    if found.get("role", ["operator"]) != ["operator"]:
        raise SqlFileError(path, "role: can only be operator")
    audience = tuple(part.strip() for part in found["audience"][0].split(","))
    if unknown := set(audience) - set(AUDIENCES):
        raise SqlFileError(
            path, f"audience: {unknown.pop()!r} is not one of {', '.join(AUDIENCES)}"
        )
    query = Query(
        code=name[1],
        name=name[2],
        category=Path(path).parent.name,
        path=path,
        title=found["title"][0],
        audience=audience,
        parameters=tuple(_parameter(line, path) for line in found.get("param", [])),
        columns=tuple(part.strip() for part in found["columns"][0].split(",")),
        notes=" ".join(found.get("notes", [])),
        operator="role" in found,
        text=text,
    )
    _check_body(query)
    return query


def _spellings(query: Query) -> tuple[str, ...]:
    return (query.code, query.name, str(query))


def _spoken(name: str) -> str:
    return name.replace("_", " ").lower()


def _header(text: str) -> Iterator[tuple[str, str]]:
    """The pairs of the comment block that opens the file."""
    key, value = "", ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if match := _HEADER.fullmatch(line):
            if key:
                yield key, value
            key, value = match[1], match[2]
        elif key and (match := _MORE.fullmatch(line)):
            value = f"{value} {match[1]}".strip()
        elif line.rstrip("- "):
            break
    if key:
        yield key, value


def _parameter(line: str, path: str) -> Parameter:
    match = _PARAMETER.fullmatch(line)
    if match is None or match[2] not in TYPES:
        raise SqlFileError(path, f"param {line!r}: write 'name type' or 'name type = default'")
    return Parameter(match[1], match[2], match[3])


def _check_body(query: Query) -> None:
    declared = {parameter.name: parameter.type for parameter in query.parameters}
    used: set[str] = set()
    for name, cast in _USED.findall(query.body):
        if name not in declared:
            raise SqlFileError(query.path, f"%({name})s is not declared as a param")
        if cast != f"::{declared[name]}":
            raise SqlFileError(query.path, f"write %({name})s::{declared[name]}, with its cast")
        used.add(name)
    if unused := declared.keys() - used:
        raise SqlFileError(query.path, f"param {unused.pop()} is declared and not used")
    if _BARE_PERCENT.search(query.body.replace("%%", "")):
        raise SqlFileError(query.path, "a percent sign is written %%")
