from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def brokers() -> Iterator[str]:
    """The address of an empty log with the topic."""
    pytest.importorskip("confluent_kafka", reason="needs the extra [kafka]")
    from kafka_log import kafka_log

    with kafka_log() as address:
        yield address
