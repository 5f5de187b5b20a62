"""Measures everything that README promises in figures and prints it as one Markdown table.

    python tests/benchmarks/report.py             all of it, medians of 5: about an hour
    python tests/benchmarks/report.py --quick     does it work? two minutes, figures mean nothing
    python tests/benchmarks/report.py --only replay latency
    python tests/benchmarks/report.py --readme    also rewrites the table in README.md

Nothing is asserted about time; a read that is lost or a row that differs ends it with an error.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from bench import measures  # noqa: E402
from bench.figures import Figure, between_markers, shown, table  # noqa: E402
from bench.load import CACHE  # noqa: E402
from bench.services import Services  # noqa: E402

COMPONENTS = ("test_domain.py", "test_messages.py", "test_sink.py")
SECTIONS = (
    "naive", "replay", "broker-500", "broker-50", "broker-shards", "latency", "memory",
    "components",
)  # fmt: skip


def main() -> int:
    options = _options()
    scale = measures.QUICK if options.quick else measures.Scale()
    if options.runs:
        scale = replace(scale, runs=options.runs)
    if options.noise_db is not None:
        scale = replace(scale, load=scale.load.changed(noise_db=options.noise_db))
    figures: list[Figure] = []
    with Services() as services:
        for section in options.only or SECTIONS:
            _say(section)
            figures += list(_measure(section, services, scale, figures))
    shutil.rmtree(CACHE, ignore_errors=True)
    if options.quick:  # such figures meet or miss nothing
        figures = [replace(figure, target=None) for figure in figures]
    lines = table(figures)
    print(lines)
    if options.json:
        found = [asdict(figure) | {"median": figure.median} for figure in figures]
        options.json.write_text(json.dumps(found, indent=2))
    if options.readme:
        readme = ROOT / "README.md"
        text = between_markers(readme.read_text(encoding="utf-8"), "benchmarks", lines)
        readme.write_text(text, encoding="utf-8")
    return 0


def _measure(
    section: str, services: Services, scale: measures.Scale, so_far: list[Figure]
) -> Iterator[Figure]:
    baseline = so_far[0].median if so_far and so_far[0].name.startswith("naive") else None
    broker = partial(measures.throughput, baseline=baseline)
    steps: dict[str, Callable[..., Iterator[Figure]]] = {
        "naive": measures.naive,
        "replay": partial(measures.replays, baseline=baseline),
        "broker-500": partial(broker, reads_a_message=500, target=500e3),
        "broker-50": partial(broker, reads_a_message=50, target=300e3),
        "broker-shards": partial(broker, reads_a_message=500, shards=2),
        "latency": measures.latency,
        "memory": measures.memory_and_epochs,
        "components": _components,
    }
    yield from steps[section](services, scale, _say)


def _components(
    _services: Services, _scale: measures.Scale, say: Callable[[str], None]
) -> Iterator[Figure]:
    """The benchmarks of single parts print for themselves."""
    files = [str(path) for name in COMPONENTS if (path := Path(__file__).with_name(name)).exists()]
    if files:
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "benchmark", *files]
        done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
        say(
            done.stdout if done.returncode == 0 else f"{done.stdout}\nTHE LINES ABOVE HAVE FAILURES"
        )
    return iter(())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and once")
    parser.add_argument("--runs", type=int, help="default: 5")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="default: all, in this order")
    parser.add_argument("--noise-db", type=float, help="of each read, in throughput and replay")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--readme", action="store_true", help="rewrite the table in README.md")
    options = parser.parse_args()
    if options.readme and (options.quick or options.only):
        parser.error("--readme needs the whole table: leave out --quick and --only")
    return options


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    _say(f"{os.cpu_count()} cores; load {shown(os.getloadavg()[0])} when this began")
    sys.exit(main())
