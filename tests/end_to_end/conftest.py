from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_gateway import FakeGateway, batch, now_us
from small_site import SITE

from pipeline.cli.stack import Stack


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services and a pipeline for the small site; no agent."""
    directory: Path = tmp_path_factory.mktemp("stack")
    with Stack(directory) as stack:
        stack.prepare(SITE)
        stack.start_pipeline()
        _wait_until_subscribed(stack)
        yield stack
        assert stack.failed() is None, stack.children["pipeline"].last_words()


def _wait_until_subscribed(stack: Stack) -> None:
    """A broker drops what nobody has subscribed to yet; agents send again, this test does not."""
    with FakeGateway(stack) as gateway:
        for _ in range(100):
            gateway.send(batch(1, now_us() - 3_600_000_000))  # leaves later event time free
            try:
                gateway.wait_for_ack(1, 0.5)
            except AssertionError:
                continue
            return
    raise AssertionError(stack.children["pipeline"].last_words())
