"""`biotrakr capacity`: hosts, brokers, log, database and storage for a number of facilities.

Computed from measured figures (config/capacity/measured.json) and from assumptions, which the plan
lists; each has an option. config/capacity/PLAN.md is what it prints without options.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pipeline
from pipeline.cli.capacity_plan import Assumed, Measured, Plan, plan
from pipeline.cli.errors import CliError

FACILITIES = (50, 500, 5_000)
_MEANING = {
    "tags": "tags of a facility",
    "receivers": "receivers that hear a tag",
    "reads_per_s": "reads of a tag by each of them, a second, after the gateway's merging",
    "gateways": "gateways of a facility",
    "utilisation": "mean use of cores and disks; the rest is for peaks and backlogs",
    "shard_limit": "use of the one core of the fullest shard",
    "memory_headroom": "memory asked for, as a multiple of what was measured",
    "host_cores": "cores of a host for brokers, shards and bridges",
    "database_cores": "cores of a database host",
    "database_wal_mb_s": "MB of WAL a second that a database's disk and replicas take",
    "compression": "how much smaller compressed history is; Community edition only; not measured",
    "compress_after_days": "days until history is compressed",
    "history_years": "years of history",
    "raw_hours": "hours for which raw batches are kept",
    "log_hours": "hours that the log keeps",
    "log_copies": "copies that the log keeps; its own compression is not counted",
    "partitions_per_shard": "partitions of the log a shard, so that shards can grow as much",
}


def _row(label: str, show: Callable[[Plan], str]) -> tuple[str, Callable[[Plan], str]]:
    return label, show


_ROWS = (
    _row("reads a second", lambda p: _short(p.reads_s)),
    _row("gateways", lambda p: _short(p.gateways)),
    _row("**Hosts** for the three below", lambda p: f"{p.hosts}"),
    _row("MQTT brokers, one core each (cores used)",
         lambda p: f"{p.brokers} ({p.broker_cores:.1f})"),
    _row("shards, one core each (cores used)", lambda p: f"{p.shards} ({p.flow_cores:.1f})"),
    _row("how facilities are divided",
         lambda p: "`--facility`, by hand" if p.by_hand else "`--shard i/n`"),
    _row("facilities of the fullest shard (use of its core)",
         lambda p: f"{p.fullest_shard} ({p.shard_utilisation:.0%})"),
    _row("memory of a shard", lambda p: f"{p.shard_memory_mib:.0f} MiB"),
    _row("messages a second, in and out again", lambda p: _short(p.messages_s)),
    _row("bandwidth into the brokers, and out again", lambda p: f"{_short(p.payload_mb_s)} MB/s"),
    _row("connections to the brokers", lambda p: _short(p.broker_connections)),
    _row("**Log**, where one is used: bridges, one core each", lambda p: f"{p.bridges}"),
    _row("partitions", lambda p: f"{p.partitions}"),
    _row("disk of the log, all copies", lambda p: f"{p.log_tb:.2f} TB"),
    _row("**Databases** (cores used)", lambda p: f"{p.databases} ({p.database_cores:.1f})"),
    _row("rows of history a second", lambda p: _short(p.rows_s)),
    _row("WAL", lambda p: f"{_short(p.wal_mb_s)} MB/s"),
    _row("connections to the databases", lambda p: _short(p.database_connections)),
    _row("history a day", lambda p: f"{_short(p.history_gb_day)} GB"),
    _row("history a day, compressed", lambda p: f"{_short(p.compressed_gb_day)} GB"),
    _row("history, all years", lambda p: f"{_short(p.history_tb)} TB"),
    _row("raw batches a day", lambda p: f"{_short(p.raw_gb_day)} GB"),
    _row("raw batches that are kept", lambda p: f"{_short(p.raw_tb)} TB"),
)  # fmt: skip


def register(commands: Any) -> None:
    parser = commands.add_parser("capacity", help="what a number of facilities needs",
                                 description=__doc__)  # fmt: skip
    parser.add_argument("--facilities", type=int, nargs="+", default=list(FACILITIES))
    parser.add_argument("--figures", type=Path, help="default: config/capacity/measured.json")
    parser.add_argument("--json", action="store_true", help="print the plans as JSON")
    parser.add_argument("--write", type=Path, help="also write the text to this file")
    for field in fields(Assumed):
        parser.add_argument("--" + field.name.replace("_", "-"), type=type(field.default),
                            default=field.default, help=_MEANING[field.name])  # fmt: skip
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    assumed = Assumed(**{field.name: getattr(options, field.name) for field in fields(Assumed)})
    if min(options.facilities) < 1 or any(value <= 0 for value in asdict(assumed).values()):
        raise CliError("numbers are larger than 0")
    path = options.figures or _config_folder() / "capacity" / "measured.json"
    told, measured = read_figures(path)
    try:
        plans = [plan(count, measured, assumed) for count in options.facilities]
    except ValueError as error:
        raise CliError(str(error)) from None
    text = render(plans, measured, assumed, told)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    print(json.dumps([asdict(one) for one in plans], indent=2) if options.json else text, end="")
    return 0


def read_figures(path: Path) -> tuple[dict[str, Any], Measured]:
    """The file's own words and its figures. Raises CliError."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        measured = Measured(**{f.name: float(told["figures"][f.name]) for f in fields(Measured)})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CliError(f"{path}: no figures to compute from: {error!r}") from None
    return told, measured


def render(
    plans: Sequence[Plan], measured: Measured, assumed: Assumed, told: dict[str, Any]
) -> str:
    """Markdown."""
    head = ["facilities", *(f"{one.facilities:,}" for one in plans)]
    rows = [[label, *(show(one) for one in plans)] for label, show in _ROWS]
    table = [head, ["---", *["---:"] * len(plans)], *rows]
    load = ", ".join(f"{name} {value}" for name, value in told.get("load", {}).items())
    return "\n".join([
        "# Capacity plan",
        "",
        "Written by `biotrakr capacity --write config/capacity/PLAN.md`; do not edit.",
        "",
        *(f"| {' | '.join(row)} |" for row in table),
        "",
        "Not scaled beyond what was measured on one machine: between hosts, plan for the network;",
        "many databases mean that organizations are divided among them. A facility belongs to one",
        "shard. `--shard i/n` deals them by a hash, and the fullest decides how many there are;",
        "where that would be many times the least, choose facilities by hand (not with",
        "a log: there the partitions choose, by the same hash). What is",
        "said of hosts and brokers holds while all gateways are heard; after an outage of T, with",
        f"{1 / assumed.utilisation - 1:.1f} times the load to spare, catching up takes about "
        f"T x {assumed.utilisation / (1 - assumed.utilisation):.1f}.",
        "",
        "## Assumed",
        "",
        *(f"- `--{name.replace('_', '-')} {value:g}`: {_MEANING[name]}"
          for name, value in asdict(assumed).items()),
        "",
        "## Measured",
        "",
        f"`{told.get('command', '?')}` ({load})",
        "",
        *(f"- {name}: {value:g}" for name, value in asdict(measured).items()),
        "",
    ])  # fmt: skip


def _short(value: float) -> str:
    """Three significant digits; thousands, millions and billions by their letter."""
    for limit, letter in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= limit:
            scaled = value / (1e3 if letter == " k" else limit)
            return f"{float(f'{scaled:.3g}'):g}{letter}"
    return f"{float(f'{value:.3g}'):g}"


def _config_folder() -> Path:
    """`pipeline/_files/config` of an installed wheel, or `config` beside the package."""
    package = Path(pipeline.__file__ or "").parent
    installed = package / "_files" / "config"
    return installed if installed.is_dir() else package.parent / "config"
