"""What is too old goes, by the dataflow's own role; what is not, stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.database import connect
from pipeline.database.connect import Connection
from pipeline.database.testing import shared_server
from pipeline.jobs.retention import sweep


@pytest.fixture
def database(pytestconfig: pytest.Config) -> Iterator[Connection]:
    with shared_server(pytestconfig).copy() as url, connect(url) as connection:
        yield connection


def test_a_day_of_raw_batches_and_a_week_of_messages(database: Connection) -> None:
    database.execute(
        "insert into pipeline.raw_batch select t, gen_random_uuid(), 'b', 1, gen_random_uuid(), t,"
        " t, 1, 'x' from generate_series(now() - interval '50 hours', now(), interval '1 hour') t"
    )
    database.execute(
        "insert into pipeline.checkpoint select gen_random_uuid(), t, 'x' from"
        " generate_series(now() - interval '50 hours', now(), interval '1 hour') t"
    )
    database.execute(
        "insert into pipeline.outbox (key, topic, payload, published_at) values"
        " ('old', 't', 'x', now() - interval '8 days'), ('new', 't', 'x', now()),"
        " ('waits', 't', 'x', null)"
    )
    database.execute("set role biotrakr_ingest")
    sweep(database, 24.0)
    database.execute("reset role")
    oldest, batches = database.execute(
        "select extract(epoch from now() - min(at)) / 3600, count(*) from pipeline.raw_batch"
    ).fetchone() or (0, 0)
    assert 23 <= oldest <= 26  # whole chunks of an hour
    assert batches >= 24
    assert database.execute(
        "select count(*) from pipeline.checkpoint where at < now() - interval '24 hours'"
    ).fetchone() == (0,)
    assert database.execute("select key from pipeline.outbox order by 1").fetchall() == [
        ("new",), ("waits",)
    ]  # fmt: skip
    database.execute("set role biotrakr_ingest")
    sweep(database, 24.0)
