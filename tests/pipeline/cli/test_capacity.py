"""The capacity plan: its arithmetic, its assumptions, and that the written one is current."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from statistics import median

import pytest

from pipeline.cli import main
from pipeline.cli.capacity import FACILITIES, read_figures
from pipeline.cli.capacity_plan import Assumed, Measured, fullest_of, plan, share_out
from pipeline.registry.sharding import slot

ROOT = Path(__file__).parents[3]
MEASURED = Measured(
    flow_cpu_us_per_read=1.0,
    broker_cpu_us_per_read=0.2,
    database_cpu_us_per_read=0.5,
    bridge_cpu_us_per_message=100.0,
    memory_mib_per_process=200.0,
    memory_bytes_per_tag=1048.576,
    payload_bytes_per_read=15.0,
    reads_per_message=500.0,
    location_rows_per_read=0.1,
    bytes_per_location_row=200.0,
    wal_bytes_per_location_row=400.0,
    bytes_per_raw_read=20.0,
)


def test_the_arithmetic() -> None:
    """Fifty facilities of 5,000 tags, each heard by 4 receivers once a second."""
    one = plan(50, MEASURED, Assumed())
    assert (one.reads_s, one.messages_s, one.rows_s) == (1e6, 2000, 1e5)
    assert (one.flow_cores, one.broker_cores, one.database_cores) == pytest.approx((1, 0.2, 0.5))
    assert (one.brokers, one.bridges, one.databases, one.hosts) == (1, 1, 1, 1)
    assert one.payload_mb_s == pytest.approx(15.0)
    assert one.wal_mb_s == pytest.approx(40.0)
    assert one.history_gb_day == pytest.approx(1e5 * 86_400 * 200 / 1e9)
    assert one.history_tb == pytest.approx(1.728 * 30 + 0.1728 * 3620)
    assert one.raw_gb_day == pytest.approx(1728.0)
    assert one.log_tb == pytest.approx(15e6 * 86_400 * 3 / 1e12)
    assert one.shard_utilisation == pytest.approx(one.fullest_shard * 0.02)
    assert one.shard_memory_mib == pytest.approx(1.5 * (200 + one.fullest_shard * 5.0))
    assert one.database_connections == 4 * one.shards
    assert one.broker_connections == 2000 + 2 * one.shards + 1
    # 2 million rows a second, 800 MB of WAL: the disks decide how many databases there are.
    assert plan(1000, MEASURED, Assumed()).databases == 7


@pytest.mark.parametrize(("facilities", "shards"), [(50, 3), (50, 4), (500, 20), (5000, 300)])
def test_the_fullest_shard_is_what_the_hash_makes_it(facilities: int, shards: int) -> None:
    each = [
        max(Counter(slot(f"group-{g}/hospital-{n}", shards) for n in range(facilities)).values())
        for g in range(9 if shards < 100 else 3)
    ]
    assert fullest_of(facilities, shards) == pytest.approx(median(each), abs=3)


def test_no_shard_gets_more_than_its_core() -> None:
    for facilities in (1, 7, 50, 500):
        shards, fullest, by_hand = share_out(facilities, 0.04, 0.7)
        assert not by_hand
        assert fullest * 0.04 <= 0.7
        assert fullest >= facilities / shards
    assert share_out(10, 0.04, 0.7) == (1, 10, False)
    assert share_out(5000, 0.3, 0.7) == (2500, 2, True)
    with pytest.raises(ValueError, match="cannot be split"):
        share_out(10, 0.8, 0.7)


@pytest.mark.parametrize("name", [f.name for f in fields(Assumed)])
def test_every_assumption_counts(name: str) -> None:
    usual = Assumed()
    other = {"utilisation": 0.3, "shard_limit": 0.3, "database_cores": 1}
    double = replace(usual, **{name: other.get(name, 2 * getattr(usual, name))})
    assert plan(2000, MEASURED, double) != plan(2000, MEASURED, usual)


@pytest.mark.parametrize("name", [f.name for f in fields(Measured)])
def test_every_figure_counts(name: str) -> None:
    double = replace(MEASURED, **{name: 2 * getattr(MEASURED, name)})
    assert plan(2000, double, Assumed()) != plan(2000, MEASURED, Assumed())


def test_the_written_plan_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """If not: biotrakr capacity --write config/capacity/PLAN.md"""
    assert main.main(["capacity"]) == 0
    printed = capsys.readouterr().out
    assert (ROOT / "config/capacity/PLAN.md").read_text() == printed
    for name, value in asdict(Assumed()).items():
        assert f"- `--{name.replace('_', '-')} {value:g}`: " in printed
    told, measured = read_figures(ROOT / "config/capacity/measured.json")
    assert told["command"] in printed
    assert all(f"- {name}: {value:g}" in printed for name, value in asdict(measured).items())
    assert all(f"| {count:,} " in printed for count in FACILITIES)


def test_json_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["capacity", "--json", "--facilities", "10", "20", "--tags", "100"]
    assert main.main(words) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["facilities"], second["facilities"]) == (10, 20)
    assert second["reads_s"] == 2 * first["reads_s"] == 20 * 100 * 4


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda told: told["figures"].pop("bytes_per_raw_read"), ("bytes_per_raw_read",)),
        (lambda told: told["figures"].update(flow_cpu_us_per_read=1e3), ("cannot be split",)),
        (lambda told: told["figures"].update(flow_cpu_us_per_read="fast"), ("no figures",)),
    ],
)
def test_what_cannot_be_computed_is_told(
    spoil: Callable[[dict], object],
    words: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = {"figures": asdict(MEASURED)}
    spoil(told)
    path = tmp_path / "measured.json"
    path.write_text(json.dumps(told))
    assert main.main(["capacity", "--figures", str(path)]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words)
