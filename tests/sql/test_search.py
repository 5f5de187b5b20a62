"""Search over name, maker and model: exact, full-text and misspelt, and only one's own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from pipeline.database.connect import Connection


@pytest.fixture
def stock(conn: Connection, acme: Any, globex: Any) -> None:
    """Some equipment of acme; the same, and a maker that acme lacks, of globex."""
    scanner = ("Ultrasound scanner", "Siemens", "Acuson S2000")
    pump = ("Infusion pump", "B. Braun", "Perfusor")
    odd = ("O'Neil's drill", "GE", "X\\1")
    for org, rows in (
        (acme, [pump, ("Ventilator", "Dräger", "Evita V800"), scanner, odd]),
        (globex, [scanner, ("Bed", "Stryker", "ProCuity")]),
    ):
        for number, (name, maker, model) in enumerate(rows):
            conn.execute(
                "insert into registry.asset (id, organization_id, facility_id, tag_number, name, "
                "manufacturer, model, serial_number, category) "
                "values (%s, %s, %s, %s, %s, %s, %s, '1', 'OTHER')",
                (uuid4(), org.id, org.facility, f"S-{number}", name, maker, model),
            )


@pytest.fixture
def find(conn: Connection, acme: Any, become: Any, stock: None) -> Any:
    """`find(function, *arguments)`: names and scores, as an analyst of acme."""

    def names(function: str, *arguments: Any) -> list[tuple[str, float]]:
        marks = ", ".join(["%s"] * len(arguments))
        with become(conn, "biotrakr_analyst", acme.id):
            rows = conn.execute(
                f"select asset.name, found.* from app.{function}({marks}) as found "
                "join registry.asset on asset.id = found.asset_id".encode(),
                arguments,
            ).fetchall()
        return [(name, round(score, 3)) for name, _, score in rows]

    return names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("siemns acusn", "Ultrasound scanner"),
        ("Draeger", "Ventilator"),
        ("drager", "Ventilator"),
        ("ventilater evita", "Ventilator"),
        ("infuson braun", "Infusion pump"),
        ("ultra", "Ultrasound scanner"),
        ("oneil drill", "O'Neil's drill"),
    ],
)
def test_a_misspelt_word_finds_what_was_meant(find: Any, text: str, name: str) -> None:
    found = find("find_similar", text, 0.4, 5)
    assert found[0][0] == name


def test_the_score_is_the_mean_over_the_words(find: Any) -> None:
    """Trigrams of dragr: 4 of 6 are in drager; nothing looks like qqqq."""
    assert find("find_similar", "dragr", 0.4, 5) == [("Ventilator", 0.667)]
    assert find("find_similar", "drager", 0.4, 5) == [("Ventilator", 1.0)]
    assert find("find_similar", "drager qqqq", 0.4, 5) == [("Ventilator", 0.5)]
    assert find("find_similar", "drager qqqq", 0.6, 5) == []
    assert {name for name, _ in find("find_similar", "siemns", 0.4, 5)} == {
        "Infusion pump 2", "Ultrasound scanner",
    }  # fmt: skip
    assert find("find_similar", "", 0.4, 5) == []
    assert find("find_similar", "' \\ | & !", 0.4, 5) == []


def test_more_than_asked_for_is_not_given(find: Any) -> None:
    """Three of acme's assets are infusion pumps."""
    assert len(find("find_similar", "infusion pump", 0.4, 2)) == 2
    assert len(find("find_similar", "infusion pump", 0.4, 9)) == 3


def test_words_are_found_without_accents_and_endings(find: Any) -> None:
    assert [name for name, _ in find("find_words", "drager ventilators", 9)] == ["Ventilator"]
    assert len(find("find_words", "pumps", 9)) == 3
    assert find("find_words", "pump -infusion", 9) == []
    assert find("find_words", '"acuson ultrasound"', 9) == []


def test_another_organizations_words_and_assets_are_not_found(find: Any) -> None:
    assert find("find_similar", "stryker", 0.3, 9) == []
    assert find("find_words", "stryker", 9) == []
    assert len(find("find_similar", "acuson", 0.4, 9)) == 1


def test_changes_and_deletions_are_followed(conn: Connection, acme: Any, find: Any) -> None:
    mine = (acme.id,)
    where = "where organization_id = %s and tag_number = 'S-1'"
    conn.execute(f"update registry.asset set name = 'Respirator' {where}".encode(), mine)
    assert "Respirator" not in {name for name, _ in find("find_words", "ventilator", 9)}
    assert find("find_similar", "respirater", 0.4, 9)[0][0] == "Respirator"
    conn.execute(f"update registry.asset set deleted_at = now() {where}".encode(), mine)
    assert find("find_words", "respirator", 9) == []
    assert find("find_similar", "respirator", 0.6, 9) == []
    conn.execute(f"update registry.asset set deleted_at = null {where}".encode(), mine)
    assert len(find("find_words", "respirator", 9)) == 1


def test_a_confined_user_finds_what_is_at_home(conn: Connection, acme: Any, find: Any) -> None:
    user = str(acme.event("registry.user_account"))
    act = "select set_config('app.user_id', %s, true)"
    conn.execute(act, (user,))
    assert len(find("find_words", "pumps", 9)) == 3
    conn.execute(
        "insert into registry.facility (id, organization_id, code, name) "
        "values (%s, %s, 'south', 'South')",
        (acme.event("south"), acme.id),
    )
    conn.execute(
        "update registry.user_role set facility_id = %s where user_id = %s",
        (acme.event("south"), user),
    )
    assert find("find_words", "pumps", 9) == []
    assert find("find_similar", "pump", 0.4, 9) == []
