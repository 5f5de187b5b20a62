"""How much is unpublished, and how old it is, of a real table."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipeline.database.connect import connect
from pipeline.database.testing import shared_server
from pipeline.sinks.outbox import OutboxPublisher

INSERT = """
insert into pipeline.outbox (key, topic, payload, qos, retain, created_at, published_at)
values (%s, 't', 'x', 1, false, clock_timestamp() - make_interval(secs => %s),
    case when %s then clock_timestamp() end)
"""


def test_the_oldest_that_is_not_published(pytestconfig: pytest.Config) -> None:
    nobody: Any = None
    outbox = OutboxPublisher(nobody, nobody)
    assert (outbox.unpublished, outbox.oldest_age_s) == (0, 0.0)
    with shared_server(pytestconfig).copy() as url, connect(url) as connection:
        connection.execute(INSERT, ("old", 1000, True))
        outbox.look(connection)
        assert (outbox.unpublished, outbox.oldest_age_s) == (0, 0.0)
        connection.execute(INSERT, ("a", 60, False))
        connection.execute(INSERT, ("b", 20, False))
        outbox.look(connection)
        assert outbox.unpublished == 2
        first_s = outbox.oldest_age_s
        assert 60.0 <= first_s < 65.0
        time.sleep(0.05)
        assert outbox.oldest_age_s >= first_s + 0.05  # goes on without a look
        connection.execute("update pipeline.outbox set published_at = clock_timestamp()")
        outbox.look(connection)
        assert (outbox.unpublished, outbox.oldest_age_s) == (0, 0.0)
