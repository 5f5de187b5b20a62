"""`biotrakr-edge status`: how the agent on this gateway is. Needs neither root nor the broker.

Exit status: 0 all is well, 1 the agent runs and something is wrong, 2 no agent runs here.
"""

from __future__ import annotations

import json
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge_agent import local_status

GOOD, TROUBLE, NOT_RUNNING = 0, 1, 2
_PATIENCE = 3
"""A status that is older than so many periods, and some seconds, is of an agent that hangs."""
_SLACK_S = 5.0
_START = "start it: systemctl start biotrakr-edge; why it ended: journalctl -u biotrakr-edge"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="the gateway's TOML file, if not a service")
    parser.add_argument(
        "--file", type=Path, help=f"the status file; default {local_status.DEFAULT}"
    )
    parser.add_argument("--json", action="store_true", help="the file's content as it is")


def main(options: Namespace) -> int:
    try:
        content, path = _newest(_candidates(options))
    except (OSError, ValueError) as error:
        print(f"biotrakr-edge: no agent runs here: {error}; {_START}", file=sys.stderr)
        return NOT_RUNNING
    if options.json:
        print(json.dumps(content, indent=2))
    problem = _not_running(content)
    if problem is not None:
        print(f"biotrakr-edge: {problem} ({path}); {_START}", file=sys.stderr)
        return NOT_RUNNING
    if not options.json:
        print("\n".join(lines(content)))
    return GOOD if content["health"]["status"] == "good" else TROUBLE


def _candidates(options: Namespace) -> list[Path]:
    if options.file is not None:
        return [options.file]
    if options.config is None:
        return [local_status.DEFAULT]
    # Not the whole of the settings: files they name may be readable by the service only.
    content = tomllib.loads(options.config.read_text())
    if "status_file" in content:
        return [Path(content["status_file"])]
    spool = content.get("spool", {}).get("path")
    if not isinstance(spool, str):
        raise ValueError(f"{options.config}: spool.path is missing")
    return [local_status.beside(Path(spool)), local_status.DEFAULT]


def _newest(paths: Iterable[Path]) -> tuple[dict[str, Any], Path]:
    """Raises OSError when there is none, ValueError when one cannot be understood."""
    found: list[tuple[float, dict[str, Any], Path]] = []
    missing: OSError | None = None
    for path in paths:
        try:
            text = path.read_text()
        except FileNotFoundError as error:
            missing = missing or error
            continue
        content = json.loads(text)
        if not isinstance(content, dict) or "health" not in content:
            raise ValueError(f"{path} is no status file")
        age_s = local_status.age_s(content)
        found.append((float("inf") if age_s is None else age_s, content, path))
    if not found:
        raise missing or FileNotFoundError("no status file")
    _, content, path = min(found, key=lambda entry: entry[0])
    return content, path


def _not_running(content: Mapping[str, Any]) -> str | None:
    age_s = local_status.age_s(content)
    if age_s is None:
        return "the agent has not been started since this machine was"
    if content["status"]["state"] == "offline":
        return f"the agent was stopped {_span(age_s)} ago"
    if not Path(f"/proc/{content['process']}").exists():
        return f"the agent ended {_span(age_s)} ago or less, without saying why"
    if age_s > _PATIENCE * content["every_s"] + _SLACK_S:
        return f"the agent hangs: it has said nothing for {_span(age_s)}"
    return None


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    status, broker = content["status"], content["broker"]
    yield f"{broker['user']}: {content['health']['status']}, version {status['version']}"
    yield ""
    checks = content["health"]["checks"]
    width = max(len(check["name"]) for check in checks)
    for check in checks:
        yield f"  {'ok ' if check['good'] else 'BAD'}  {check['name']:{width}}  {check['detail']}"
        if not check["good"]:
            yield f"       {'':{width}}  -> {check['advice']}"
    yield ""
    yield from _readers(status["readers"])
    yield ""
    yield from _flow(status, broker)


def _readers(readers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    readers = list(readers)
    rows: list[tuple[str, ...]] = [("reader", "kind", "state", "reads", "restarts", "last heard")]
    rows += [
        (
            reader["name"],
            reader["kind"],
            reader["state"],
            str(reader["reads"]),
            str(reader["restarts"]),
            reader["last_heard_at"] or "never",
        )
        for reader in readers
    ]
    yield from table(rows)
    for reader in readers:
        counted = sorted(reader.get("counters", {}).items())
        if counted:
            told = ", ".join(f"{name} {value}" for name, value in counted)
            yield f"  {reader['name']}: {told}"


def table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as they have to be; the first row is the heading."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def _flow(status: Mapping[str, Any], broker: Mapping[str, Any]) -> Iterator[str]:
    spool, ack_s = status["spool"], broker["last_ack_s"]
    yield f"  broker  {broker['url']}: {'connected' if broker['connected'] else 'not connected'}"
    told = "never since the start" if ack_s is None else f"{_span(ack_s)} ago"
    yield f"  last acknowledgement  {told}"
    if spool is not None:
        waiting = f"{spool['batches']} batches, {spool['bytes'] / 1e6:.1f} MB"
        oldest = f", the oldest of {spool['oldest_at']}" if spool["oldest_at"] else ""
        yield f"  waiting in the spool  {waiting}{oldest}"
    clock = "synchronised" if status["clock"]["synchronised"] else "NOT synchronised"
    yield f"  clock  {clock}, {status['counters'].get('clock_steps', 0)} steps since the start"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
