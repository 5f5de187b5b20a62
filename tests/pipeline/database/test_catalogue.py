"""Headers of query files: what is read, and what is refused with which words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.database import SqlFileError
from pipeline.database.catalogue import (
    Parameter,
    UnknownQuery,
    find_query,
    parse_query,
    read_catalogue,
)

PATH = "queries/utilization/u01_by_type.sql"
GOOD = """\
-- name: U01 by_type
-- title: How much is it used?
-- audience: N, C
-- param: from timestamptz = now - 30 days
-- param: facility text = null
-- param: asset uuid
-- columns: facility, used_h,
--          used_pct
-- notes: one row a type;
--     UNKNOWN is not idle.

-- an ordinary comment
select 1, %(from)s::timestamptz, %(facility)s::text, %(asset)s::uuid, 5 %% 2;
"""


def test_a_header_is_read() -> None:
    query = parse_query(GOOD, PATH)

    assert (query.code, query.name, query.category) == ("U01", "by_type", "utilization")
    assert query.audience == ("N", "C")
    assert query.columns == ("facility", "used_h", "used_pct")
    assert query.notes == "one row a type; UNKNOWN is not idle."
    assert query.parameters == (
        Parameter("from", "timestamptz", "now - 30 days"),
        Parameter("facility", "text", "null"),
        Parameter("asset", "uuid", None),
    )
    assert not query.operator
    assert parse_query("-- role: operator\n" + GOOD, PATH).operator


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("-- title: How much is it used?\n", "", "needs one line '-- title: ...'"),
        ("-- columns: facility, used_h,", "-- columns:", None),
        ("-- title:", "-- titel:", "'titel' is not one of"),
        ("U01 by_type", "u1 by-type", "name: has the form"),
        ("U01 by_type", "U01 by_month", "must be named after by_month"),
        ("-- audience: N, C", "-- audience: N, X", "audience: 'X' is not one of"),
        ("asset uuid", "asset guid", "write 'name type'"),
        ("%(asset)s::uuid", "%(asset)s", r"write %\(asset\)s::uuid, with its cast"),
        ("%(asset)s::uuid", "1", "asset is declared and not used"),
        ("%(asset)s::uuid", "%(asset)s::uuid, %(b)s::int", r"%\(b\)s is not declared"),
        ("5 %% 2", "5 % 2", "a percent sign is written %%"),
        ("-- name", "-- role: owner\n-- name", "can only be operator"),
    ],
)
def test_a_bad_header_says_what_to_write(old: str, new: str, words: str | None) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    if words is None:
        assert parse_query(text, PATH).columns == ("used_pct",)
        return
    with pytest.raises(SqlFileError, match=words) as caught:
        parse_query(text, PATH)
    assert "\n" not in str(caught.value)


def test_two_files_may_not_have_one_code(tmp_path: Path) -> None:
    folder = tmp_path / "queries/utilization"
    folder.mkdir(parents=True)
    (folder / "u01_by_type.sql").write_text(GOOD)
    assert [str(query) for query in read_catalogue(tmp_path)] == ["U01 by_type"]
    (folder / "by_month.sql").write_text(GOOD.replace("by_type", "by_month"))
    with pytest.raises(SqlFileError, match="U01 is taken by queries/utilization/"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize("name", ["U01", "u01", "by_type", "By-Type", "U01 by_type", "u01_by_type"])
def test_a_query_is_found_by_code_name_or_both(name: str) -> None:
    assert find_query([parse_query(GOOD, PATH)], name).code == "U01"


def test_an_unknown_query_is_told_with_the_nearest() -> None:
    queries = [parse_query(GOOD, PATH)]
    with pytest.raises(UnknownQuery, match=re.escape("did you mean U01 by_type?")):
        find_query(queries, "by_tipe")
    with pytest.raises(UnknownQuery, match="biotrakr query list shows all"):
        find_query(queries, "zzz")
