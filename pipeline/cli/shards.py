"""`biotrakr shards`: which process works for which facility, and how to change their number.

`list` shows the facilities of each shard; with `--from` also those that would move. `rescale`
carries the state of all shards in a recovery directory over to another number of them:

    stop every pipeline process        gateways keep what is not acknowledged
    biotrakr shards rescale --to 4 --recovery-directory /var/lib/biotrakr/recovery
    start all of them with --shard 0/4 to 3/4

Nothing is lost and no visit, session or alert is interrupted. Shards on several hosts: bring their
folders together first, and take them back afterwards. With a log whose partitions change: stop the
bridge, let the shards read to the end, stop them, add the partitions, rescale with the new
--partitions. The MQTT sessions of the old shards are closed with `--mqtt-url`, or the broker would
go on to collect messages for them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.broker import broker_address, forget_session
from pipeline.cli.errors import CliError
from pipeline.cli.recovery import ALONE
from pipeline.cli.rescale import rescale
from pipeline.cli.settings import PipelineSettings, load_settings
from pipeline.database.connect import connect
from pipeline.registry.read import read_revisions
from pipeline.registry.sharding import MAX_SHARDS, Shard


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "shards", help="show or change which process works for which facility",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("action", choices=("list", "rescale"))
    parser.add_argument("--to", type=int, required=True, help="how many shards")
    parser.add_argument("--from", type=int, dest="before", help="list: how many there are")
    parser.add_argument("--partitions", type=int, help="of the log; without: shards of the broker")
    parser.add_argument("--config", type=Path, help="the same file as for biotrakr run")
    parser.add_argument("--recovery-directory", type=Path)
    parser.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    parser.add_argument("--mqtt-url", help="default: BIOTRAKR_MQTT_URL")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    names = ("database_url", "mqtt_url", "recovery_directory")
    settings = load_settings(options.config, {name: getattr(options, name) for name in names})
    for count in filter(None, (options.to, options.before)):
        if not 1 <= count <= MAX_SHARDS:
            raise CliError(f"a number of shards is 1 to {MAX_SHARDS}")
    if options.action == "list":
        _list(settings, options.to, options.before, options.partitions)
    else:
        _rescale(settings, options.to, options.partitions)
    return 0


def _list(
    settings: PipelineSettings, count: int, before: int | None, partitions: int | None
) -> None:
    if settings.database_url is None:
        raise CliError("set BIOTRAKR_DATABASE_URL or give --database-url")
    with connect(settings.database_url) as connection:
        facilities = list(read_revisions(connection))
    old = {f: _owner(f, before, partitions) for f in facilities} if before else {}
    for index in range(count):
        shard = Shard(index, count, partitions)
        own = [facility for facility in facilities if shard.owns(facility)]
        print(f"{index}/{count}: {len(own)} facilities")
        for facility in own:
            moved = f"   was {old[facility]}/{before}" if old.get(facility, index) != index else ""
            print(f"  {facility}{moved}")


def _owner(facility: str, count: int, partitions: int | None) -> int:
    return next(i for i in range(count) if Shard(i, count, partitions).owns(facility))


def _rescale(settings: PipelineSettings, count: int, partitions: int | None) -> None:
    done = rescale(settings.recovery_directory, count, partitions)
    for shard, buildings in done.moved.items():
        print(f"{shard}: {len(buildings)} buildings")
    print(f"the old state is kept in {done.kept}; remove it when all runs well")
    old = [ALONE] if done.before == ALONE else [
        f"shard-{i}-{done.before}" for i in range(int(done.before.split("-")[1]))
    ]  # fmt: skip
    if settings.mqtt_url is None:
        print("no mqtt_url: the broker keeps collecting for " + ", ".join(old))
        return
    for name in old:
        forget_session(broker_address(settings), f"biotrakr-pipeline-{name}")
    print(f"{len(old)} MQTT session(s) closed")
