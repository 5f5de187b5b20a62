"""The topics of the MQTT contract as an AsyncAPI 3.0 document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pipeline.contracts.base import Message
from pipeline.contracts.codec import encode_batch
from pipeline.contracts.examples import EXAMPLES, as_json
from pipeline.contracts.messages import AlertSeverity
from pipeline.contracts.reads import ReadBatch
from pipeline.contracts.topics import ROOT

JSON = "application/json"
MESSAGEPACK = "application/vnd.msgpack"
_PLACE = f"{ROOT}/{{organization}}/{{facility}}"
_NAME_RULE = "1 to 63 of a-z 0-9 _ -, starting with a letter or digit"


@dataclass(frozen=True)
class Channel:
    """A topic. `action` is what the pipeline does; `messages` are names of published schemas."""

    address: str
    action: Literal["send", "receive"]
    other: str
    messages: tuple[str, ...]
    text: str
    retain: bool = False
    qos: Literal[0, 1] = 1


CHANNELS = {
    "reads": Channel(
        "gateways/{gateway}/reads",
        "receive",
        "a gateway",
        ("read-batch", "read-batch-rows"),
        "What a gateway heard. MessagePack columns or JSON rows, told apart by the first byte. "
        "Sent again until `ack` covers it; a batch is the same when boot and sequence are.",
    ),
    "status": Channel(
        "gateways/{gateway}/status",
        "receive",
        "a gateway",
        ("gateway-status",),
        "How a gateway is, regularly and when something happened. Also its last will.",
        retain=True,
    ),
    "ack": Channel(
        "gateways/{gateway}/ack",
        "send",
        "that gateway",
        ("ack",),
        "Up to where batches are durable. Until then the gateway keeps them: the broker's PUBACK "
        "says only that the broker has them.",
        retain=True,
    ),
    "config": Channel(
        "gateways/{gateway}/config",
        "send",
        "that gateway",
        ("gateway-config",),
        "What ops change from afar. Applied without a restart and kept over one; the status says "
        "which revision is in force. One that cannot be applied is refused as a whole and the one "
        "before stays. An empty payload says nothing: to go back to the gateway's own file, send "
        "one in which everything is null.",
        retain=True,
    ),
    "location": Channel(
        "assets/{asset}/location",
        "send",
        "consumers of the organization",
        (),
        "Reserved in version 1 for the current room and position of an asset: nothing is "
        "published yet, and the payload is not decided.",
        retain=True,
        qos=0,
    ),
    "alerts": Channel(
        "alerts/{severity}/{type}",
        "send",
        "consumers of the organization",
        ("alert",),
        "Each transition of an alert, once it is durable. At least once: (alert_id, revision) "
        "tells a repetition. Note that `alerts/+/+` also matches the two topics below; "
        "`alerts/critical/#` does not.",
    ),
    "alertState": Channel(
        "alerts/state/{alert}",
        "send",
        "consumers of the organization",
        ("alert",),
        "The newest transition of each alert that is not resolved, so that a fresh subscriber "
        "knows what is open. An empty payload clears it once it is resolved.",
        retain=True,
    ),
    "acknowledge": Channel(
        "alerts/{alert}/acknowledge",
        "receive",
        "consumers of the organization",
        ("alert-acknowledgement",),
        "Somebody takes care of an alert.",
    ),
    "scans": Channel(
        "scans",
        "receive",
        "hand-held scanners and servers",
        ("scan",),
        "Where somebody says something is.",
    ),
}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "organization": {"description": f"Code of the organization: {_NAME_RULE}"},
    "facility": {"description": f"Code of the facility: {_NAME_RULE}"},
    "gateway": {"description": f"Name of the gateway: {_NAME_RULE}"},
    "asset": {"description": "The asset"},
    "severity": {
        "description": "Of the alert, in lower case",
        "enum": [severity.lower() for severity in get_args(AlertSeverity)],
    },
    "type": {"description": "Type of the alert, such as forbidden-zone"},
    "alert": {"description": "`alert_id` of the alert, a UUID in lower case"},
}
_DESCRIPTION = """\
Where the medical equipment of a hospital group is, and when it is somewhere it must not be. \
Actions are those of the pipeline: what it receives, gateways and consumers send.

A gateway may use its own topics only, a consumer those of its organization. Whatever the schema \
does not accept, unknown keys included, is put aside with the reason and has no effect. Messages \
are at most 1 MiB long. Times are event times: when something was the case, not when it was said.

Version 1 keeps its topics and its schemas, which are closed: within it they gain at most optional \
fields, so receivers are upgraded before senders. What `evidence` and `counters` hold, and the \
types of alerts, grow too."""


def schema_path(name: str) -> str:
    return f"schemas/{name}.schema.json"


def document() -> dict[str, Any]:
    """AsyncAPI 3.0; payloads refer to the schema files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "BioTrakr over MQTT",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": JSON,
        "servers": {
            "broker": {
                "host": "mqtt.example.org:8883",
                "protocol": "secure-mqtt",
                "description": "Your broker",
                "security": [{"$ref": "#/components/securitySchemes/user"}],
            }
        },
        "channels": {name: _channel(channel) for name, channel in CHANNELS.items()},
        "operations": {
            f"{channel.action}{name[0].upper()}{name[1:]}": _operation(name, channel)
            for name, channel in CHANNELS.items()
        },
        "components": {
            "messages": {name: _message(name) for name in EXAMPLES},
            "parameters": _PARAMETERS,
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "A gateway's user name is {organization}/{facility}/gateways/"
                    "{gateway}, a consumer's is {organization}",
                }
            },
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    address = f"{_PLACE}/{channel.address}"
    by, to = channel.other, "the pipeline"
    if channel.action == "send":
        by, to = to, by
    return {
        "address": address,
        "description": f"From {by} to {to}. {channel.text}",
        "messages": {n: {"$ref": f"#/components/messages/{n}"} for n in channel.messages},
        "parameters": {
            name: {"$ref": f"#/components/parameters/{name}"}
            for name in _PARAMETERS
            if f"{{{name}}}" in address
        },
    }


def _operation(name: str, channel: Channel) -> dict[str, Any]:
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{n}"} for n in channel.messages],
        "bindings": {
            "mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}
        },
    }


def _message(name: str) -> dict[str, Any]:
    examples = EXAMPLES[name]
    packed = isinstance(examples[0], ReadBatch)
    return {
        "name": type(examples[0]).__name__,
        "contentType": MESSAGEPACK if packed else JSON,
        "payload": {"$ref": schema_path(name)},
        "examples": [_example(example) for example in examples],
    }


def _example(message: Message) -> dict[str, Any]:
    shown = {"payload": as_json(message)}
    if isinstance(message, ReadBatch):
        shown["summary"] = f"As sent, in hexadecimal: {encode_batch(message).hex()}"
    return shown
