"""`biotrakr health`: whether the program of this container does its work; exit status 0 or 1.

With --url it asks the program itself (`biotrakr run --metrics-address ...`). Without, two signs
that cannot be faked by a process that hangs: files it writes all the time are fresh (the pipeline
stores its epochs, the simulation its adverts), and its connection to the broker stands.
Also `python -m pipeline.cli.health`, which starts faster.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_ANSWER_S = 4.0
_MOST_BYTES = 1 << 20


def register(commands: Any) -> None:
    parser = commands.add_parser("health", help="for a container's health check")
    _add_options(parser)
    parser.set_defaults(command=command)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="such as http://127.0.0.1:9464/health: must say 200")
    parser.add_argument("--fresh", type=Path, help="a folder in which a file must be fresh")
    parser.add_argument("--max-age", type=float, default=30.0, help="seconds; default: 30")
    parser.add_argument("--port", type=int, help="a TCP connection to this port must stand")


def command(options: argparse.Namespace) -> int:
    problems = list(_problems(options))
    print("; ".join(problems) if problems else "good")
    return 1 if problems else 0


def _problems(options: argparse.Namespace) -> Iterator[str]:
    if options.url is not None:
        yield from failing_checks(options.url)
    if options.fresh is not None:
        age_s = newest_age_s(options.fresh)
        if age_s is None:
            yield f"{options.fresh}: no files"
        elif age_s > options.max_age:
            yield f"{options.fresh}: nothing was written for {age_s:.0f} s"
    if options.port is not None and not is_connected(options.port):
        yield f"no connection to port {options.port}"


def failing_checks(url: str) -> Iterator[str]:
    """What a program says is wrong, one line a check; nothing when it is well."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme != "http":
        yield f"{url}: must look like http://127.0.0.1:9464/health"
        return
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", parts.path or "/health")
        answer = connection.getresponse()
        if answer.status == http.HTTPStatus.OK:
            return
        body = answer.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        yield f"{url}: no answer: {error or type(error).__name__}"
        return
    finally:
        connection.close()
    try:
        checks = [check for check in json.loads(body)["checks"] if not check["good"]]
        yield from (f"{c['name']}: {c['detail']} ({c['age_s']} s): {c['advice']}" for c in checks)
    except (ValueError, LookupError, TypeError):
        yield f"{url}: answers {answer.status}, and not about health"


def newest_age_s(folder: Path) -> float | None:
    """Seconds since a file in `folder` was last written; None when there is none."""
    times = [path.stat().st_mtime for path in folder.iterdir() if path.is_file()]
    return time.time() - max(times) if times else None


def is_connected(port: int, tables: Sequence[Path] = _TABLES) -> bool:
    """Whether the network namespace has an established TCP connection to `port` of anyone."""
    for table in tables:
        for line in table.read_text().splitlines()[1:]:
            _, _, remote, state = line.split()[:4]
            if state == _ESTABLISHED and int(remote.rpartition(":")[2], 16) == port:
                return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="biotrakr health", description=__doc__)
    _add_options(parser)
    return command(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
