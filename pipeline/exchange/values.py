"""Cells to values: one function a kind, each raising ValueError that says what to write instead."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

DateOrder = Literal["dmy", "mdy"]
_TRUE = {"true", "t", "yes", "y", "1", "x", "ja", "oui", "si", "sí"}
_FALSE = {"false", "f", "no", "n", "0", "nein", "non"}
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_OTHER_DATE = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})")
_POINT = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_COMMA = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:[. \u00a0\u202f'][0-9]{3})+)(?:,[0-9]+)?")
_MAC = re.compile(r"([0-9a-f]{2})[:-]?" * 5 + r"([0-9a-f]{2})")
MAX_JSON_CHARACTERS = 20_000


@dataclass(frozen=True)
class Conventions:
    """How a file writes what is not the same everywhere."""

    date_order: DateOrder | None = None
    decimal_comma: bool = False


Parser = Callable[[str, Conventions], Any]


def text(longest: int, pattern: str | None = None, example: str = "") -> Parser:
    wanted = None if pattern is None else re.compile(pattern)

    def parse(cell: str, _: Conventions) -> str:
        if wanted is not None and not wanted.fullmatch(cell):
            raise ValueError(f"write it like {example}")
        if len(cell) > longest:
            raise ValueError(f"{len(cell)} characters; {longest} is the most")
        if any(ord(character) < 32 and character not in "\n\r\t\x1d\x1e\x04" for character in cell):
            raise ValueError("it holds a control character")
        return cell

    return parse


def day(cell: str, conventions: Conventions) -> str:
    """ISO text of a date."""
    found = _ISO_DATE.fullmatch(cell)
    if found is not None:
        year, month, number = (int(part) for part in found.groups())
    elif (other := _OTHER_DATE.fullmatch(cell)) is not None:
        first, separator, second = int(other[1]), other[2], int(other[3])
        order = conventions.date_order or ("dmy" if separator == "." else None)
        if order is None:
            raise ValueError("day or month first? write YYYY-MM-DD, or give --dates dmy or mdy")
        number, month = (first, second) if order == "dmy" else (second, first)
        year = int(other[4])
    else:
        raise ValueError("no date; write YYYY-MM-DD")
    try:
        value = date(year, month, number)
    except ValueError:
        raise ValueError("there is no such day") from None
    if not 1900 <= value.year <= 2200:
        raise ValueError("a year between 1900 and 2200 is expected")
    return value.isoformat()


def number(
    *, places: int = 2, least: float | None = None, most: float | None = None
) -> Callable[[str, Conventions], str]:
    """Decimal text; what has more places than are kept is refused rather than rounded."""

    def parse(cell: str, conventions: Conventions) -> str:
        pattern = _COMMA if conventions.decimal_comma else _POINT
        if pattern.fullmatch(cell) is None:
            raise ValueError(
                "no number; write digits with a decimal "
                + ("comma" if conventions.decimal_comma else "point (or give --decimal-comma)")
            )
        if conventions.decimal_comma:
            cell = re.sub(r"[. \u00a0\u202f']", "", cell).replace(",", ".")
        try:
            value = Decimal(cell.replace(",", ""))
        except InvalidOperation:
            raise ValueError("no number") from None
        if value != value.quantize(Decimal(1).scaleb(-places)):
            raise ValueError(f"more than {places} decimal places")
        if least is not None and value < Decimal(str(least)):
            raise ValueError(f"less than {least:g}")
        if most is not None and value > Decimal(str(most)):
            raise ValueError(f"more than {most:g}")
        return str(value)

    return parse


def whole(least: int, most: int) -> Callable[[str, Conventions], int]:
    decimal = number(places=0, least=least, most=most)

    def parse(cell: str, conventions: Conventions) -> int:
        return int(Decimal(decimal(cell, conventions)))

    return parse


def yes_no(cell: str, _: Conventions) -> bool:
    if cell.casefold() in _TRUE:
        return True
    if cell.casefold() in _FALSE:
        return False
    raise ValueError("write true or false")


def choice(*names: str, **others: str) -> Callable[[str, Conventions], str]:
    """One of `names`, written with any case, spaces or hyphens; `others`: what else means one."""
    known = {_key(name): name for name in names} | {_key(k): v for k, v in others.items()}

    def parse(cell: str, _: Conventions) -> str:
        try:
            return known[_key(cell)]
        except KeyError:
            raise ValueError(f"one of {', '.join(names)} is expected") from None

    return parse


def json_value(kind: type[dict[str, Any]] | type[list[Any]]) -> Parser:
    """JSON of one kind; a list may also be written as words with `;` or `,` between them."""

    def parse(cell: str, _: Conventions) -> Any:
        if len(cell) > MAX_JSON_CHARACTERS:
            raise ValueError(f"more than {MAX_JSON_CHARACTERS} characters of JSON")
        if kind is list and not cell.startswith("["):
            return [part.strip() for part in re.split(r"[;,]", cell) if part.strip()]
        try:
            value = json.loads(cell, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise ValueError("no JSON") from None
        if not isinstance(value, kind):
            raise ValueError("a JSON " + ("object {...}" if kind is dict else "list [...]"))
        if "\\u0000" in cell:
            raise ValueError("it holds a NUL character")
        return value

    return parse


def mac(cell: str, _: Conventions) -> str:
    found = _MAC.fullmatch(cell.lower())
    if found is None:
        raise ValueError("write six bytes, like 00:1a:2b:3c:4d:5e")
    return ":".join(found.groups())


def ip(cell: str, _: Conventions) -> str:
    try:
        return str(ipaddress.ip_interface(cell) if "/" in cell else ipaddress.ip_address(cell))
    except ValueError:
        raise ValueError("no IP address") from None


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())


def _no_constant(name: str) -> Any:
    raise ValueError(name)
