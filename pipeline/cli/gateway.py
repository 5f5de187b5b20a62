"""`biotrakr gateway`: what ops see of a gateway, and change in it, without going there.

configure  lay changes over what was last sent, send it, and wait until the gateway says that it is
           in force (exit status 0), refuses it (1), or says nothing in time (1: it will get it)
show       what the gateway last said about itself, and what it was sent

A GATEWAY is organization/facility/name, such as acme/north/g1.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.cli.broker import broker_address
from pipeline.cli.errors import CliError
from pipeline.cli.settings import load_settings
from pipeline.contracts.codec import decode_json, encode_json
from pipeline.contracts.errors import ContractError, MessageError
from pipeline.contracts.gateway_config import GatewayConfig
from pipeline.contracts.messages import ConfigReport, GatewayStatus
from pipeline.contracts.topics import gateway as gateway_topic
from pipeline.sources.mqtt_client import MqttClient

_CONNECT_S, _RETAINED_S, _WAIT_S = 15.0, 1.0, 20.0
_LOOK_S = 0.02
_CHANGEABLE = ("allow", "merge_window_s", "min_rssi_dbm", "forward_random", "power_dbm")


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "gateway", help="see or change a gateway from afar", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("action", choices=("configure", "show"))
    parser.add_argument("gateways", nargs="+", metavar="GATEWAY")
    change = parser.add_argument_group("what to change; the rest stays as it was last sent")
    change.add_argument("--allow", action="append", metavar="TAG",
                        help="forward these: a name, or prefix ending in *; repeat")  # fmt: skip
    change.add_argument("--allow-from", type=Path, metavar="FILE", help="the same, one a line")
    change.add_argument("--merge-window", type=float, metavar="SECONDS", dest="merge_window_s")
    change.add_argument("--min-rssi", type=float, metavar="DBM", dest="min_rssi_dbm")
    change.add_argument("--forward-random", choices=("yes", "no"))
    change.add_argument("--power", action="append", metavar="READER=DBM", help="repeat")
    change.add_argument("--unset", action="append", default=[], choices=_CHANGEABLE,
                        help="as in the gateway's own file; repeat")  # fmt: skip
    change.add_argument("--reset", action="store_true", help="all as in the gateway's own file")
    parser.add_argument("--wait", type=float, default=_WAIT_S, metavar="SECONDS",
                        help="for the gateway's answer; default: 20")  # fmt: skip
    parser.add_argument("--config", type=Path, help="the pipeline's TOML file")
    parser.add_argument("--mqtt-url", help="default: BIOTRAKR_MQTT_URL")
    parser.set_defaults(command=command)


@dataclass(frozen=True)
class _Place:
    organization: str
    facility: str
    gateway: str

    @classmethod
    def parse(cls, text: str) -> _Place:
        parts = text.split("/")
        if len(parts) == 4 and parts[2] == "gateways":  # as the broker's user is called
            del parts[2]
        try:
            place = cls(*parts)
            place.topic("config")
        except (TypeError, ContractError):
            raise CliError(f"{text}: a gateway is organization/facility/name") from None
        return place

    def topic(self, channel: str) -> str:
        return gateway_topic(self.organization, self.facility, self.gateway, channel)

    def __str__(self) -> str:
        return f"{self.organization}/{self.facility}/{self.gateway}"


def command(options: argparse.Namespace) -> int:
    places = [_Place.parse(text) for text in options.gateways]
    changes = _changes(options)
    if (options.action == "configure") != bool(changes or options.reset or options.unset):
        raise CliError("gateway configure: say what to change; gateway show changes nothing")
    with _broker(options, places) as desk:
        if options.action == "show":
            return max(_show(desk, place) for place in places)
        sent = {place: _send(desk, place, changes, options) for place in places}
        return max(_outcome(desk, place, sent[place], options.wait) for place in places)


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    """Field -> value. Raises CliError."""
    found: dict[str, Any] = {
        name: value
        for name in ("merge_window_s", "min_rssi_dbm")
        if (value := getattr(options, name)) is not None
    }
    if options.allow or options.allow_from:
        found["allow"] = [*(options.allow or []), *_lines(options.allow_from)]
    if options.forward_random is not None:
        found["forward_random"] = options.forward_random == "yes"
    if options.power:
        found["power_dbm"] = dict(map(_power, options.power))
    return found


def _lines(path: Path | None) -> Iterator[str]:
    if path is None:
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"--allow-from: {error}") from None
    yield from (line for part in text.splitlines() if (line := part.strip()) and line[0] != "#")


def _power(text: str) -> tuple[str, float]:
    reader, _, level = text.partition("=")
    try:
        return reader, float(level)
    except ValueError:
        raise CliError(f"--power {text}: write READER=DBM, such as door=27") from None


class _Desk:
    """The newest message of each topic."""

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        self._newest: dict[str, bytes] = {}

    def newest(self, topic: str) -> bytes | None:
        for delivery in self._client.take(1000):
            self._newest[delivery.message.topic] = delivery.message.payload
            self._client.acknowledge([delivery])
        return self._newest.get(topic) or None

    def wait(self, seconds: float, condition: Callable[[], bool]) -> bool:
        until_s = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until_s:
                return False
            time.sleep(_LOOK_S)
        return True

    def publish(self, topic: str, payload: bytes) -> None:
        """Raises CliError when the broker does not confirm it."""
        sent = self._client.publish(topic, payload, retain=True)
        if not self.wait(_CONNECT_S, sent.is_published):
            raise CliError("the broker did not confirm the message: try again")

    def status(self, place: _Place) -> GatewayStatus | None:
        payload = self.newest(place.topic("status"))
        try:
            return None if payload is None else decode_json(GatewayStatus, payload)
        except MessageError:
            return None

    def config(self, place: _Place) -> GatewayConfig | None:
        payload = self.newest(place.topic("config"))
        try:
            return None if payload is None else decode_json(GatewayConfig, payload)
        except MessageError as error:
            print(f"biotrakr: {place}: what was last sent is replaced: {error}", file=sys.stderr)
            return None


@contextmanager
def _broker(options: argparse.Namespace, places: Sequence[_Place]) -> Iterator[_Desk]:
    settings = load_settings(options.config, {"mqtt_url": options.mqtt_url})
    topics = [place.topic(channel) for place in places for channel in ("config", "status")]
    address = broker_address(settings)
    client = MqttClient(address, f"biotrakr-gateway-{secrets.token_hex(6)}", topics)
    desk = _Desk(client)
    client.start(session_expiry_s=0)
    try:
        there = desk.wait(_CONNECT_S, lambda: client.lost_s is None or client.refused is not None)
        if client.refused is not None:
            raise CliError(str(client.refused))
        if not there:
            raise CliError(f"the broker at {address.host}:{address.port} does not answer")
        # What is retained comes at once; a topic without anything says nothing.
        desk.wait(_RETAINED_S, lambda: all(map(desk.newest, topics)))
        yield desk
    finally:
        client.stop()


def _send(
    desk: _Desk, place: _Place, changes: dict[str, Any], options: argparse.Namespace
) -> GatewayConfig:
    before = desk.config(place)
    status = desk.status(place)
    in_force = status.config.revision if status and status.config else None
    fields = {} if options.reset or before is None else before.model_dump(include={*_CHANGEABLE})
    fields |= dict.fromkeys(options.unset) | _merged(fields, changes)
    # Also above what the gateway has, should the broker have forgotten what it was sent.
    revision = 1 + max(before.revision if before else 0, in_force or 0)
    try:
        config = GatewayConfig(gateway=place.gateway, revision=revision, **fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CliError(f"{where}: {first['msg']}") from None
    desk.publish(place.topic("config"), encode_json(config))
    return config


def _merged(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Power is set reader by reader."""
    power = {**(fields.get("power_dbm") or {}), **changes.get("power_dbm", {})}
    return changes | ({"power_dbm": power} if "power_dbm" in changes else {})


def _outcome(desk: _Desk, place: _Place, config: GatewayConfig, wait_s: float) -> int:
    digest = hashlib.sha256(encode_json(config)).hexdigest()[:16]

    def report() -> ConfigReport | None:
        status = desk.status(place)
        return status.config if status is not None else None

    def answered() -> bool:
        said = report()
        return said is not None and said.newest_digest == digest

    said = report() if desk.wait(wait_s, answered) else None
    name = f"{place}: revision {config.revision}"
    if said is None:
        status = desk.status(place)
        state = "never heard of" if status is None else status.state
        print(f"{name} was sent, no answer yet (the gateway is {state}); it will get it")
        return 1
    if said.digest != digest:
        print(f"{name} {said.problem}; revision {said.revision or 'none'} stays in force")
        return 1
    print(f"{name} is in force" + (f"; {said.problem}" if said.problem else ""))
    return 0


def _show(desk: _Desk, place: _Place) -> int:
    status, config = desk.status(place), desk.config(place)
    if status is None:
        print(f"{place}: has never said anything")
        return 1
    print(f"{place}: {status.state}, version {status.version}, said at {status.at:%F %T} UTC")
    if status.spool is not None:
        print(f"  spool: {status.spool.batches} batches, {status.spool.dropped_reads} reads lost")
    print(f"  clock: {'' if status.clock.synchronised else 'not '}synchronised")
    for reader in status.readers:
        error = f": {reader.error}" if reader.error else ""
        print(f"  reader {reader.name}: {reader.state}, {reader.reads} reads{error}")
    said = status.config
    print(f"  configuration in force: {_revision(said.revision if said else None)}")
    if said is not None and said.problem:
        print(f"  configuration problem: {said.problem}")
    if config is not None:
        print(f"  last sent: {config.model_dump_json(exclude_none=True)}")
    return 0


def _revision(revision: int | None) -> str:
    return "the gateway's own file" if revision is None else f"revision {revision}"
