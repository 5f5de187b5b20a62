"""The AsyncAPI document is complete in itself and names the topics that the code uses."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest

from pipeline.contracts import topics
from pipeline.contracts.asyncapi import document
from pipeline.contracts.codec import decode_batch
from pipeline.contracts.examples import EXAMPLES

CONFIG = Path(__file__).parents[3] / "config"
DOCUMENT = document()
CHANNELS, OPERATIONS = DOCUMENT["channels"], DOCUMENT["operations"]
MESSAGES = DOCUMENT["components"]["messages"]


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def resolve(reference):
    path, _, pointer = reference.partition("#")
    value = json.loads((CONFIG / path).read_bytes()) if path else DOCUMENT
    for part in pointer.split("/")[1:]:
        value = value[unquote(part)]
    return value


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_every_reference_leads_somewhere(reference):
    assert resolve(reference) is not None


def test_every_channel_has_one_operation_and_every_operation_a_channel():
    used = [operation["channel"]["$ref"] for operation in OPERATIONS.values()]
    assert sorted(used) == sorted(f"#/channels/{name}" for name in CHANNELS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_all_of_its_channel(name):
    operation = OPERATIONS[name]
    channel = resolve(operation["channel"]["$ref"])
    assert operation["action"] in ("send", "receive")
    listed = [reference["$ref"].rpartition("/")[2] for reference in operation["messages"]]
    assert listed == list(channel["messages"])
    assert all(
        reference["$ref"].startswith(operation["channel"]["$ref"] + "/")
        for reference in operation["messages"]
    )
    assert operation["bindings"]["mqtt"]["qos"] in (0, 1)
    assert isinstance(operation["bindings"]["mqtt"]["retain"], bool)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_declares_the_parameters_of_its_address(name):
    channel = CHANNELS[name]
    assert re.findall(r"\{(\w+)\}", channel["address"]) == list(channel["parameters"])
    assert channel["description"]


def test_every_message_is_used():
    used = {r.rpartition("/")[2] for r in references(CHANNELS) if "/messages/" in r}
    assert used == set(MESSAGES) == set(EXAMPLES)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_examples_keep_to_the_payload_schema(name):
    message = MESSAGES[name]
    assert message["examples"]
    for example in message["examples"]:
        jsonschema.validate(example["payload"], resolve(message["payload"]["$ref"]))


def test_the_example_in_hexadecimal_is_the_one_beside_it():
    for shown, batch in zip(
        MESSAGES["read-batch"]["examples"], EXAMPLES["read-batch"], strict=True
    ):
        assert decode_batch(bytes.fromhex(shown["summary"].rpartition(" ")[2])) == batch


def filled(name):
    values = {"organization": "acme", "facility": "north", "gateway": "g1", "severity": "critical"}
    values |= {"type": "forbidden-zone", "alert": "3d6f0a52-6c1e-5f0b-9d5e-0a4f4b1c7e21"}
    return CHANNELS[name]["address"].format(**values)


def test_the_addresses_are_those_of_the_code():
    place = ("acme", "north")
    assert filled("reads") == topics.gateway(*place, "g1", "reads")
    assert filled("status") == topics.gateway(*place, "g1", "status")
    assert filled("ack") == topics.gateway(*place, "g1", "ack")
    assert filled("alerts") == topics.alert(*place, "CRITICAL", "forbidden-zone")
    alert_id = "3d6f0a52-6c1e-5f0b-9d5e-0a4f4b1c7e21"
    assert filled("alertState") == topics.alert_state(*place, alert_id)


def test_who_sends_what_and_how():
    """The table of topics: address, action of the pipeline, QoS, retained, payload."""
    rows = set()
    for operation in OPERATIONS.values():
        channel = resolve(operation["channel"]["$ref"])
        mqtt = operation["bindings"]["mqtt"]
        address = channel["address"].removeprefix("biotrakr/v1/{organization}/{facility}/")
        said = "retained" if mqtt["retain"] else "not retained"
        rows.add((address, operation["action"], mqtt["qos"], said, *channel["messages"]))
    assert rows == {
        ("gateways/{gateway}/reads", "receive", 1, "not retained", "read-batch", "read-batch-rows"),
        ("gateways/{gateway}/status", "receive", 1, "retained", "gateway-status"),
        ("gateways/{gateway}/ack", "send", 1, "retained", "ack"),
        ("gateways/{gateway}/config", "send", 1, "retained", "gateway-config"),
        ("assets/{asset}/location", "send", 0, "retained"),
        ("alerts/{severity}/{type}", "send", 1, "not retained", "alert"),
        ("alerts/state/{alert}", "send", 1, "retained", "alert"),
        ("alerts/{alert}/acknowledge", "receive", 1, "not retained", "alert-acknowledgement"),
        ("scans", "receive", 1, "not retained", "scan"),
    }


def test_content_types():
    types = {name: message["contentType"] for name, message in MESSAGES.items()}
    assert types.pop("read-batch") == "application/vnd.msgpack"
    assert set(types.values()) == {"application/json"} == {DOCUMENT["defaultContentType"]}


def test_no_real_host_is_named():
    hosts = [server["host"] for server in DOCUMENT["servers"].values()]
    assert all(host.partition(":")[0].endswith("example.org") for host in hosts)
