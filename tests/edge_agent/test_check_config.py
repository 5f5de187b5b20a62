"""Whatever is wrong in a configuration: one line each, which names the key."""

import copy
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_agent.cli import main
from edge_agent.settings import Settings, _mistakes

EXAMPLE = tomllib.loads(
    (Path(__file__).parents[2] / "config" / "examples" / "gateway.toml").read_text()
)
WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just("\n\0"),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


PLACES = [path for path in places(EXAMPLE) if path]


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PLACES), wrong=WRONG, also=st.booleans())
def test_each_mistake_is_one_line_that_names_its_key(path, wrong, also):
    content = copy.deepcopy(EXAMPLE)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    if also:
        content["colour"] = 1
    try:
        Settings.model_validate(content)
    except ValidationError as error:
        lines = list(_mistakes(error))
        top = {*EXAMPLE, "colour", "file"}
        for line in lines:
            assert len(line.splitlines()) == 1 and line.isprintable(), line
            key = re.match(r"([a-z_]+)[^ ]*: .", line)
            assert key and key[1] in top, line
        assert not also or "colour: unknown key" in lines


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = 1\na = 2", b"[broker", b"\n" * 10])
def test_no_settings_at_all(tmp_path, capsys, content):
    path = tmp_path / "gateway.toml"
    path.write_bytes(content)
    assert main(["check-config", "--config", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines and all(line.startswith("biotrakr-edge: ") for line in lines)


def test_a_folder_is_no_settings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", "check-config", "--config", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
