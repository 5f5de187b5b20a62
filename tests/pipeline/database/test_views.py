"""Views that read views: made in order, and made again when what they read was."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.database import SqlFileError, connect, migrate
from pipeline.database.views import in_order

BASE = (
    "create view reporting.zz_base with (security_invoker = true) as select {} as organization_id;"
)
TWIN = """
create function reporting.f_a(as_of timestamptz) returns table (organization_id int)
language sql stable begin atomic
    select organization_id from reporting.zz_base;
end;
create view reporting.v_a as select * from reporting.f_a(now());
"""
TOP = "create view reporting.aa_top as select * from reporting.f_a('2026-01-01');"


def test_a_view_comes_after_what_it_reads() -> None:
    assert in_order({"aa_top": TOP, "v_a": TWIN, "zz_base": BASE}) == ["zz_base", "v_a", "aa_top"]
    talk = "-- as reporting.b\ncomment on view reporting.a is 'see reporting.b';"
    assert in_order({"a": talk, "b": "create view reporting.b as select 'it''s reporting.a'"}) == [
        "a",
        "b",
    ]


def test_a_circle_is_refused() -> None:
    one, two = (f"create view reporting.{a} as select from reporting.{b}" for a, b in ("ab", "ba"))
    with pytest.raises(SqlFileError, match="a circle: "):
        in_order({"a": one, "b": two})


def test_a_changed_view_takes_its_readers_along_and_they_come_back(
    empty_url: str, folder: Path
) -> None:
    views = folder / "views"
    (views / "aa_top.sql").write_text(TOP)
    (views / "v_a.sql").write_text(TWIN)
    (views / "zz_base.sql").write_text(BASE.format(1))
    migrate(empty_url, folder=folder)

    (views / "zz_base.sql").write_text(BASE.format(2))
    applied = [one.path for one in migrate(empty_url, folder=folder)]

    assert applied == ["views/zz_base.sql", "views/v_a.sql", "views/aa_top.sql"]
    with connect(empty_url) as connection:
        row = connection.execute("select organization_id from reporting.aa_top").fetchone()
    assert row == (2,)
    assert migrate(empty_url, folder=folder) == []
