"""The published contract: a JSON Schema a message and an AsyncAPI document, from the models.

    python -m pipeline.contracts.schema [DIRECTORY]

writes `schemas/*.schema.json` and `asyncapi.json` into the directory (`config` when none is named).
The same models give the same bytes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pipeline.contracts.asyncapi import document, schema_path
from pipeline.contracts.base import Message
from pipeline.contracts.examples import EXAMPLES, as_json
from pipeline.contracts.reads import ReadBatch


class _Generator(GenerateJsonSchema):
    """Without a title a field, which would only repeat its name."""

    def field_title_should_be_set(self, _: object) -> bool:
        return False

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """JSON has no bytes: MessagePack's bin is described as the base64 of it."""
        longest = -(-schema["max_length"] // 3) * 4
        return {"type": "string", "contentEncoding": "base64", "maxLength": longest}


def json_schema(model: type[Message], examples: Sequence[Message]) -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of what is accepted."""
    schema: dict[str, Any] = _tidy(model.model_json_schema(schema_generator=_Generator))
    if model is ReadBatch:
        # In JSON a missing version means 1; MessagePack must say it.
        schema["required"].insert(0, "schema_version")
    schema["examples"] = [as_json(example) for example in examples]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def files() -> dict[str, bytes]:
    """Path below the directory -> content."""
    published: dict[str, Any] = {
        schema_path(name): json_schema(type(examples[0]), examples)
        for name, examples in EXAMPLES.items()
    }
    published["asyncapi.json"] = document()
    return {
        path: json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
        for path, value in published.items()
    }


def write(directory: Path) -> None:
    for path, content in files().items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _tidy(value: Any) -> Any:
    """One spelling of what releases of pydantic spell differently; no line breaks in paragraphs."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"(?<!\n)\n(?!\n)", " ", value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, dict):
        return value
    said_already = {"additionalProperties"} if value.get("additionalProperties") is True else set()
    if "const" in value:
        said_already.add("enum")
    return {key: _tidy(item) for key, item in value.items() if key not in said_already}


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "config"))
