"""Where the SQL lies, and that what was released stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipeline
from pipeline.database import SqlFileError, sql_folder
from pipeline.database.files import FOLDERS, SqlFile, read_files, read_frozen


def test_a_checkout_reads_the_folder_beside_the_package() -> None:
    assert sql_folder() == Path(pipeline.__file__).parent.parent / "sql"


def test_a_wheel_reads_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "pipeline"
    (package / "_files" / "sql" / "migrations").mkdir(parents=True)
    # Somebody else's top-level folder of that name must not be taken for ours.
    (tmp_path / "sql" / "migrations").mkdir(parents=True)
    monkeypatch.setattr(pipeline, "__file__", str(package / "__init__.py"))
    assert sql_folder() == package / "_files" / "sql"


def test_without_files_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "__file__", str(tmp_path / "pipeline" / "__init__.py"))
    with pytest.raises(SqlFileError, match="the SQL files are not there"):
        sql_folder()


def test_released_migrations_are_frozen() -> None:
    """A released migration never changes. To release: (cd sql/migrations && sha256sum *.sql)."""
    found = {Path(f.path).name: f.sha256 for f in read_files(sql_folder(), "migration")}
    frozen = read_frozen(sql_folder())
    assert frozen.items() <= found.items(), "a released migration was changed or removed"
    # New ones come after what is released, or a database that has those would run them out of turn.
    assert sorted(found)[: len(frozen)] == sorted(frozen)


def test_numbers_have_no_gap() -> None:
    names = [Path(file.path).name for file in read_files(sql_folder(), "migration")]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_every_file_opens_with_what_it_is_for() -> None:
    for kind in FOLDERS:
        for file in read_files(sql_folder(), kind):
            assert file.text.startswith("-- "), file.path


def test_a_view_file_makes_the_view_of_its_name() -> None:
    for file in read_files(sql_folder(), "view"):
        assert f"create view reporting.{file.name} " in file.text, file.path
        assert f"comment on view reporting.{file.name} is" in file.text, file.path


def test_directives_end_where_the_head_ends() -> None:
    file = SqlFile(
        "migration", "x", "-- role: session\n-- Words: any.\nselect 1;\n-- role: owner\n"
    )
    assert not file.as_owner
    assert file.in_transaction
    assert not file.needs_community
