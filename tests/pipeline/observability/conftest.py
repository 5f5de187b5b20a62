from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_gateway import FakeGateway, now_us
from small_site import SITE
from watched import Watched

from pipeline.cli.stack import Stack
from pipeline.embedded.ports import free_port

CONFIG = """\
metrics_address = "127.0.0.1:{port}"
unhealthy_after_s = 2.0
epoch_s = 0.2
[timing]
gateway_timeout_s = 2.0
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory: Path = tmp_path_factory.mktemp("watched")
    port = free_port()
    config = directory / "pipeline.toml"
    config.write_text(CONFIG.format(port=port))
    with Stack(directory) as stack:
        stack.prepare(SITE)
        stack.start_pipeline(config)
        watched = Watched(stack, port)
        watched.wait_for(lambda: watched.get("/ready")[0] == 200, 60)
        with FakeGateway(stack) as gateway:
            first = watched.next_batch(now_us() - 3_600_000_000)  # leaves later event time free
            for _ in range(100):  # a broker drops what nobody has subscribed to yet
                gateway.send(first)
                try:
                    gateway.wait_for_ack(1, 0.5)
                    break
                except AssertionError:
                    continue
        yield watched
        assert stack.failed() is None, stack.children["pipeline"].last_words()
