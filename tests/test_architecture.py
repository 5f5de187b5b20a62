"""The import rules, no clock in pure code, decoders from the standard library, small files."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = ("pipeline/domain", "edge_agent/decoders")
MAX_LINES = 400

CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
    "time.perf_counter_ns", "time.process_time", "time.clock_gettime", "time.localtime",
    "time.gmtime", "time.ctime", "time.asctime", "time.strftime", "time.sleep",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
    "datetime.date.today", "random.random", "numpy.random", "np.random", "uuid.uuid1", "uuid.uuid4",
}  # fmt: skip
"""What makes a result depend on when, or how often, it is computed."""


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def clocks_read(source: str) -> Iterator[str]:
    """Each use of a clock, under whatever name it was imported."""
    tree = ast.parse(source)
    real: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            real |= {(a.asname or a.name.split(".")[0]): a.name for a in node.names}
        if isinstance(node, ast.ImportFrom):
            real |= {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = dotted(node).partition(".")
            name = ".".join(filter(None, (real.get(first, first), rest)))
            if name in CLOCKS:
                yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time\ntime.time()", ["line 2: time.time"]),
        ("import time as t\nx = t.monotonic", ["line 2: time.monotonic"]),
        ("from time import monotonic as m\nm()", ["line 2: time.monotonic"]),
        ("import datetime\ndatetime.datetime.now()", ["line 2: datetime.datetime.now"]),
        ("from datetime import datetime\ndatetime.now()", ["line 2: datetime.datetime.now"]),
        ("from datetime import date\ndate.today()", ["line 2: datetime.date.today"]),
        ("from uuid import uuid4\nuuid4()", ["line 2: uuid.uuid4"]),
        ("import numpy as np\nnp.random.normal()", ["line 2: numpy.random"]),
        ("from datetime import datetime\ndatetime.fromtimestamp(7)", []),
        ("def at(time):\n    return time.total", []),
    ],
)
def test_a_clock_is_recognised(source, found):
    assert list(clocks_read(source)) == found


@pytest.mark.parametrize("path", modules(*PURE), ids=lambda p: str(p.relative_to(ROOT)))
def test_pure_code_reads_no_clock(path):
    assert list(clocks_read(path.read_text(encoding="utf-8"))) == []


def test_the_flow_reads_no_clock():
    """Event time decides: what is computed must not depend on when."""
    found = {
        p.name: list(clocks_read(p.read_text(encoding="utf-8"))) for p in modules("pipeline/flow")
    }
    assert {name: uses for name, uses in found.items() if uses} == {}


@pytest.mark.parametrize(
    "path", modules("edge_agent/decoders"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_decoders_import_the_standard_library_only(path):
    allowed = sys.stdlib_module_names | {"edge_agent"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.split(".")[0] in allowed, name
            assert not name.startswith("edge_agent") or name.startswith("edge_agent.decoders"), name


def test_no_file_is_too_long():
    """A file of this length holds two concerns."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules("pipeline", "edge_agent")
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_LINES
    }
    assert long == {}


def test_there_are_no_packages_under_tests():
    """An `__init__.py` there would shadow the package of the same name."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_import_rules():
    """`lint-imports` with the contracts of pyproject.toml."""
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    program = program or shutil.which("lint-imports")
    assert program, "install the [test] extra"
    run = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout
