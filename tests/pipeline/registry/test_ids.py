from __future__ import annotations

from pipeline.registry.ids import make_id


def test_ids_never_change() -> None:
    """Databases in the field hold them: these values are frozen."""
    assert str(make_id("organization", "acme")) == "fb3c9519-84d6-52c5-92dc-8ea002019ccb"
    assert str(make_id("building", "acme", "north", "main")) == (
        "3ce93487-dcaa-5a18-8199-5bbf10088f85"
    )
    assert str(make_id("asset", "acme", "P-1")) == "49c16292-02b5-544f-ac51-866d2c53e271"


def test_kinds_and_paths_are_kept_apart() -> None:
    ids = {
        make_id("facility", "a", "b"),
        make_id("tag", "a", "b"),
        make_id("asset", "a", "b"),
        make_id("asset", "b", "a"),
        make_id("asset", "a", "b/c"),
        make_id("receiver", "a", "f", "g", "r"),
        make_id("receiver", "a", "f", "g", "r/1"),
    }
    assert len(ids) == 7
