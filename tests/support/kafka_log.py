"""A Kafka-compatible log for tests, in a process of its own.

Started as a program it runs the broker that librdkafka carries for tests: it speaks the protocol
over TCP (idempotent producers, fetch by offset), keeps everything in memory, at most 5 MB a
partition, and dies with its standard input. BIOTRAKR_TEST_KAFKA names a real one instead, with a
fresh topic `biotrakr` of PARTITIONS partitions for every test.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOPIC = "biotrakr"
PARTITIONS = 4


@contextmanager
def kafka_log(partitions: int = PARTITIONS) -> Iterator[str]:
    """Yields the address of a log that has the topic."""
    if real := os.environ.get("BIOTRAKR_TEST_KAFKA"):
        yield real
        return
    process = subprocess.Popen(
        [sys.executable, __file__, TOPIC, str(partitions)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def _library() -> ctypes.CDLL:
    import confluent_kafka

    folder = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(folder.glob("librdkafka*.so*"))))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("rd_kafka_new", pointer, [ctypes.c_int, pointer, text, ctypes.c_size_t]),
        ("rd_kafka_mock_cluster_new", pointer, [pointer, ctypes.c_int]),
        ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
        ("rd_kafka_mock_topic_create", ctypes.c_int, [pointer, text, ctypes.c_int, ctypes.c_int]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _serve(topic: str, partitions: int) -> None:
    library = _library()
    error = ctypes.create_string_buffer(512)
    handle = library.rd_kafka_new(0, None, error, len(error))
    cluster = library.rd_kafka_mock_cluster_new(handle, 1)
    failed = library.rd_kafka_mock_topic_create(cluster, topic.encode(), partitions, 1)
    assert not failed, failed
    print(library.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
