"""Topics of the MQTT contract, version 1: `biotrakr/v1/{organization}/{facility}/...`."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.contracts.errors import TopicError

ROOT = "biotrakr/v1"
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
"""Names in topics: they are file names, SQL codes and MQTT levels at once."""

_NAME = re.compile(NAME)


class GatewayTopic(NamedTuple):
    """`.../gateways/{gateway}/{channel}`; channel is reads, status, ack or config."""

    organization: str
    facility: str
    gateway: str
    channel: str


def check_name(name: str) -> str:
    """Return `name` or raise TopicError when it cannot be one level of a topic."""
    if not _NAME.fullmatch(name):
        raise TopicError(name, "use 1 to 63 of a-z 0-9 _ -, starting with a letter or digit")
    return name


def facility(organization: str, facility_: str) -> str:
    return f"{ROOT}/{check_name(organization)}/{check_name(facility_)}"


def gateway(organization: str, facility_: str, gateway_: str, channel: str) -> str:
    place = facility(organization, facility_)
    return f"{place}/gateways/{check_name(gateway_)}/{check_name(channel)}"


def gateway_user(organization: str, facility_: str, gateway_: str) -> str:
    """The broker's user name of a gateway; the ACL's `%u` pattern confines it to its own topics."""
    return f"{check_name(organization)}/{check_name(facility_)}/gateways/{check_name(gateway_)}"


def alert(organization: str, facility_: str, severity: str, type_: str) -> str:
    place = facility(organization, facility_)
    return f"{place}/alerts/{check_name(severity.lower())}/{check_name(type_)}"


def alert_state(organization: str, facility_: str, alert_id: str) -> str:
    return f"{facility(organization, facility_)}/alerts/state/{check_name(alert_id)}"


def parse_gateway(topic: str) -> GatewayTopic:
    """Split a gateway topic; TopicError when it is anything else."""
    parts = topic.split("/")
    if len(parts) != 7 or "/".join(parts[:2]) != ROOT or parts[4] != "gateways":
        raise TopicError(topic, f"expected {ROOT}/<organization>/<facility>/gateways/<name>/...")
    for name in (parts[2], parts[3], parts[5]):
        check_name(name)
    return GatewayTopic(parts[2], parts[3], parts[5], parts[6])
