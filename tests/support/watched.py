"""A pipeline on real services that is scraped and asked for its health."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from fake_gateway import batch, now_us
from prometheus_client.parser import text_string_to_metric_families

from pipeline.cli.stack import Stack

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Watched:
    """A stack for the small site whose only gateway is this test."""

    def __init__(self, stack: Stack, port: int) -> None:
        self.stack, self.port = stack, port
        self.sequence = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body; (0, b"") when nobody answers."""
        try:
            with urllib.request.urlopen(self.url(path), timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def samples(self) -> Samples:
        """Name and labels -> value."""
        status, body = self.get("/metrics")
        assert status == 200
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    def failing(self) -> dict[str, Any] | None:
        """Name -> check of those that fail; None when nobody answers."""
        status, body = self.get("/health")
        if status == 0:
            return None
        told = json.loads(body)
        bad = {check["name"]: check for check in told["checks"] if not check["good"]}
        assert status == (503 if bad else 200)
        assert told["status"] == ("failing" if bad else "good")
        return bad

    def wait_for(self, condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            words = self.stack.children["pipeline"].last_words()
            assert time.monotonic() < deadline, (
                f"not within {seconds} s; {self.get('/health')!r}\n{words}"
            )
            time.sleep(0.05)
        return value

    def next_batch(self, start_us: int | None = None) -> bytes:
        """The next good batch: two reads."""
        self.sequence += 1
        return batch(self.sequence, now_us() if start_us is None else start_us)
