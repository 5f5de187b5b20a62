"""Ids are those of the standard."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.names import uuid5


@given(st.uuids(), st.text())
def test_as_the_standard_library_makes_them(namespace: uuid.UUID, name: str):
    made = uuid5(namespace, name)
    assert made == uuid.uuid5(namespace, name)
    assert made.version == 5
