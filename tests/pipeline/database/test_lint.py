"""Zero-downtime rules for migrations (squawk), and no statement that one edition does not have."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from collections import defaultdict
from pathlib import Path

import pytest

from pipeline.database.files import FROZEN, read_files, sql_folder

SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
RULES_CAME_WITH = 10
"""Migrations before this number were released before there were rules."""

EXCLUDED = {
    "require-lock-timeout": "the runner sets lock_timeout for each file",
    "require-statement-timeout": "the runner sets statement_timeout for each file",
    "prefer-robust-stmts": "each file runs once, in one transaction",
    "prefer-bigint-over-int": "counts, days and years; ids are uuids",
    "prefer-bigint-over-smallint": "codes of look-up tables",
}
# What a file may do although the rule says no, and why that stops nobody for long.
SMALL = "registry tables are masters of some 100,000 rows: scanned, indexed, rewritten in seconds"
ALLOWED = {
    "0010_value_sets.sql": {
        "ban-create-domain-with-constraint":
            "the values of a domain change by add constraint not valid, then validate",
    },
    "0013_asset.sql": {
        "adding-foreign-key-constraint": SMALL, "constraint-missing-not-valid": SMALL,
        "require-concurrent-index-creation": SMALL, "adding-field-with-default": SMALL,
        "ban-drop-constraint": "replaced by a wider one in the same statement",
    },
    "0014_custody.sql": {
        "constraint-missing-not-valid": SMALL,
        "ban-drop-constraint": "replaced by one that also holds the organization",
    },
    "0026_measured.sql": {
        "disallowed-unique-constraint": "a look-up table of some twenty rows",
    },
}  # fmt: skip


def _squawk(*paths: Path) -> dict[str, set[str]]:
    """File name -> rules it breaks."""
    if not SQUAWK.exists():
        pytest.skip("squawk is not installed: pip install squawk-cli")
    command = [SQUAWK, "--assume-in-transaction", "--pg-version", "17", "--reporter", "json"]
    command += [f"--exclude={','.join(EXCLUDED)}", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = defaultdict(set)
    for one in json.loads(done.stdout):
        found[Path(one["file"]).name].add(one["rule_name"])
    return dict(found)


def test_migrations_break_no_rule_without_a_reason() -> None:
    paths = sorted((sql_folder() / "migrations").glob("*.sql"))
    found = _squawk(*(path for path in paths if int(path.name[:4]) >= RULES_CAME_WITH))
    assert found == {name: set(rules) for name, rules in ALLOWED.items()}


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("create index a on registry.asset (name);", "require-concurrent-index-creation"),
        ("alter table registry.asset alter column name type varchar(9);", "changing-column-type"),
        ("alter table registry.asset rename column name to title;", "renaming-column"),
        ("alter table registry.asset drop column name;", "ban-drop-column"),
        ("drop table registry.asset;", "ban-drop-table"),
        ("alter table registry.asset add column a int not null;", "adding-required-field"),
    ],
)
def test_the_linter_would_say_so(tmp_path: Path, statement: str, rule: str) -> None:
    path = tmp_path / "0099_bad.sql"
    path.write_text(statement)
    assert rule in _squawk(path)["0099_bad.sql"]


def test_every_migration_is_frozen() -> None:
    known = {line.split()[1] for line in (sql_folder() / FROZEN).read_text().splitlines()}
    assert known == {path.name for path in (sql_folder() / "migrations").glob("*.sql")}


COMMUNITY = re.compile(
    r"timescaledb\.(compress|enable_columnstore|continuous)|\badd_\w+_policy\b|\badd_job\b"
    r"|\b(de)?compress_chunk\b|\bconvert_to_\w+store\b|\brefresh_continuous_aggregate\b"
    r"|\btime_bucket_gapfill\b|\blocf\s*\(|\binterpolate\s*\(|\breorder_chunk\b|\bmove_chunk\b"
    r"|\btsdb\.hypertable\b"
)


def test_what_only_the_community_edition_has_stands_in_features_only() -> None:
    """There try_feature runs it, or does not."""
    seen = 0
    for kind in ("migration", "function", "view", "feature"):
        for file in read_files(sql_folder(), kind):
            bare = re.sub(r"--[^\n]*", "", file.text)
            uses = COMMUNITY.search(bare) is not None
            seen += uses
            guarded = kind == "feature" or file.name == "ops.make_summary"
            assert not uses or (guarded and "try_feature" in bare), file.path
    assert seen >= 4
    for path in (sql_folder() / "queries").rglob("*.sql"):
        assert not COMMUNITY.search(re.sub(r"--[^\n]*", "", path.read_text())), path
