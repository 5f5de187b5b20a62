"""The published schemas are those of the models, and say what the models accept."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import schema
from pipeline.contracts.base import Message
from pipeline.contracts.codec import decode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES, as_json
from pipeline.contracts.reads import COLUMNS, ReadBatch

CONFIG = Path(__file__).parents[3] / "config"
FILES = schema.files()
SCHEMAS = {name: json.loads(FILES[f"schemas/{name}.schema.json"]) for name in EXAMPLES}
JSON_MESSAGES = sorted(set(EXAMPLES) - {"read-batch"})


def validator(name, draft=jsonschema.Draft202012Validator):
    return draft(SCHEMAS[name], format_checker=draft.FORMAT_CHECKER)


@pytest.mark.parametrize("path", FILES)
def test_the_published_file_is_what_the_models_give(path):
    published = CONFIG / path
    assert published.exists() and published.read_bytes() == FILES[path], (
        f"config/{path} is not that of the models; run: python -m pipeline.contracts.schema"
    )


def test_nothing_else_is_published():
    on_disk = {f"schemas/{path.name}" for path in (CONFIG / "schemas").iterdir()}
    assert on_disk | {"asyncapi.json"} == set(FILES)


def test_writing_gives_the_same_bytes_again(tmp_path):
    schema.write(tmp_path)
    assert {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.json")} == FILES


# AsyncAPI tools read the files by draft-07; so they keep to what both drafts have.
@pytest.mark.parametrize("draft", [jsonschema.Draft202012Validator, jsonschema.Draft7Validator])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_schema_is_one_and_its_examples_keep_to_it(name, draft):
    draft.check_schema(SCHEMAS[name])
    assert len(SCHEMAS[name]["examples"]) == len(EXAMPLES[name])
    for example in SCHEMAS[name]["examples"]:
        validator(name, draft).validate(example)


@pytest.mark.parametrize("name", JSON_MESSAGES)
def test_the_examples_are_accepted(name):
    for example, message in zip(SCHEMAS[name]["examples"], EXAMPLES[name], strict=True):
        assert decode_json(type(message), json.dumps(example).encode()) == message


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_schema_is_closed_and_described(name):
    for part in (SCHEMAS[name], *SCHEMAS[name].get("$defs", {}).values()):
        assert part["additionalProperties"] is False
        assert part["description"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_byte_column_says_how_it_is_written(column):
    described = SCHEMAS["read-batch"]["properties"][column]
    kind = {"H": "u16, 2 bytes", "I": "u32, 4 bytes", "h": "i16, 2 bytes", "B": "u8, 1 byte"}
    assert described["description"].startswith(kind[COLUMNS[column]])
    assert ("little-endian" in described["description"]) == (COLUMNS[column] != "B")
    assert (described["type"], described["contentEncoding"]) == ("string", "base64")


def test_every_quantity_names_its_unit():
    units = {"_us": "icrosecond", "_dbm": "dBm", "_cdbm": "dBm", "_m": "etre", "bytes": "ytes"}
    for published in SCHEMAS.values():
        for part in (published, *published.get("$defs", {}).values()):
            for field, described in part["properties"].items():
                for ending, unit in units.items():
                    if field.endswith(ending):
                        assert unit in described["description"], field


def test_messagepack_must_say_its_version():
    assert "schema_version" in SCHEMAS["read-batch"]["required"]
    assert "schema_version" not in SCHEMAS["ack"]["required"]


def test_bytes_are_shown_in_base64():
    shown = as_json(EXAMPLES["read-batch"][0])
    assert shown["kind"] == "AQIB"
    assert ReadBatch.model_fields.keys() == shown.keys()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
NEAR = st.sampled_from(
    ["", "a", "A", "a-b", "a" * 63, "a" * 64, "ab\n", "ble:1", "BLE:1", "epc:" + "f" * 121]
) | st.sampled_from(
    ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00", "00000000", True, None, 1.5, -200.5]
)
NEAR |= st.sampled_from([-1, 0, 1, 2, 65_535, 65_536, 2**62, 2**63])


def places(value, path=()):
    """Every place in a JSON value, as the keys that lead to it."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    for key, child in enumerate(value) if isinstance(value, list) else inner:
        yield from places(child, (*path, key))


@pytest.mark.parametrize("name", JSON_MESSAGES)
@settings(deadline=None)
@given(data=st.data())
def test_what_is_accepted_keeps_to_the_schema(name, data):
    """One place of an example replaced by something else: the schema is never the stricter one."""
    message: Message = data.draw(st.sampled_from(EXAMPLES[name]))
    changed = as_json(message)
    *way, last = data.draw(st.sampled_from(list(places(changed))[1:]))
    target = changed
    for key in way:
        target = target[key]
    target[last] = data.draw(NEAR | ANYTHING)
    try:
        decode_json(type(message), json.dumps(changed).encode())
    except MessageError:
        return
    validator(name).validate(changed)
