"""Who may read and write what: the production ACL, on the real broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ROOT = "biotrakr/v1"
GATEWAY = "acme/north/gateways/g1"
CONSUMER = "acme"
PIPELINE = "pipeline"
SPY = "spy"
FENCE = "fence"

MAY_WRITE = [
    (GATEWAY, "acme/north/gateways/g1/reads"),
    (GATEWAY, "acme/north/gateways/g1/status"),
    (CONSUMER, "acme/north/alerts/a1/acknowledge"),
    (CONSUMER, "acme/south/alerts/a1/acknowledge"),
    (CONSUMER, "acme/north/scans"),
    (PIPELINE, "acme/north/gateways/g1/ack"),
    (PIPELINE, "acme/north/gateways/g1/config"),
    (PIPELINE, "acme/north/alerts/critical/fence_exit"),
    (PIPELINE, "acme/north/alerts/state/a1"),
    (PIPELINE, "acme/north/assets/pump-7/location"),
    (PIPELINE, "other/south/assets/pump-7/location"),
]
MAY_NOT_WRITE = [
    (GATEWAY, "acme/north/gateways/g2/reads"),  # another gateway of the same facility
    (GATEWAY, "acme/south/gateways/g1/reads"),  # another facility
    (GATEWAY, "other/north/gateways/g1/reads"),  # another organization
    (GATEWAY, "acme/north/gateways/g1/ack"),  # the pipeline's word
    (GATEWAY, "acme/north/gateways/g1/config"),
    (GATEWAY, "acme/north/gateways/g1/reads/more"),
    (GATEWAY, "acme/north/gateways/g1"),
    (GATEWAY, "acme/north/alerts/critical/fence_exit"),
    (GATEWAY, "acme/north/alerts/a1/acknowledge"),
    (GATEWAY, "acme/north/assets/pump-7/location"),
    (GATEWAY, "acme/north/scans"),
    (CONSUMER, "other/north/alerts/a1/acknowledge"),
    (CONSUMER, "other/north/scans"),
    (CONSUMER, "acme/north/alerts/critical/fence_exit"),
    (CONSUMER, "acme/north/alerts/state/a1"),
    (CONSUMER, "acme/north/gateways/g1/reads"),
    (CONSUMER, "acme/north/gateways/g1/ack"),
    (CONSUMER, "acme/north/gateways/g1/config"),
    (CONSUMER, "acme/north/assets/pump-7/location"),
    (PIPELINE, "acme/north/gateways/g1/reads"),
    (PIPELINE, "acme/north/gateways/g1/status"),
    ("acme/north/gateways/g10", "acme/north/gateways/g1/reads"),  # a longer name
    ("acme/north/gateways/g", "acme/north/gateways/g1/reads"),  # a shorter one
    ("acme/north", "acme/north/gateways/g1/reads"),
    ("ac", "acme/north/scans"),
    ("nobody", "acme/north/scans"),
    ("embedded/probe", "acme/north/scans"),
]
MAY_READ = [
    (GATEWAY, "acme/north/gateways/g1/ack"),
    (GATEWAY, "acme/north/gateways/g1/config"),
    (CONSUMER, "acme/north/alerts/critical/fence_exit"),
    (CONSUMER, "acme/south/alerts/state/a1"),
    (CONSUMER, "acme/north/assets/pump-7/location"),
    (PIPELINE, "acme/north/gateways/g1/reads"),
    (PIPELINE, "other/north/gateways/g1/reads"),
    (PIPELINE, "acme/north/gateways/g1/status"),
    (PIPELINE, "acme/north/gateways/g1/config"),
    (PIPELINE, "acme/north/alerts/a1/acknowledge"),
    (PIPELINE, "acme/north/scans"),
]
MAY_NOT_READ = [
    (GATEWAY, "acme/north/gateways/g2/ack"),
    (GATEWAY, "acme/north/gateways/g2/config"),
    (GATEWAY, "acme/north/gateways/g2/reads"),
    (GATEWAY, "acme/south/gateways/g1/ack"),
    (GATEWAY, "other/north/gateways/g1/ack"),
    (GATEWAY, "acme/north/gateways/g1/reads"),
    (GATEWAY, "acme/north/alerts/critical/fence_exit"),
    (CONSUMER, "other/north/alerts/critical/fence_exit"),
    (CONSUMER, "other/north/alerts/state/a1"),
    (CONSUMER, "other/north/assets/pump-7/location"),
    (CONSUMER, "acme/north/gateways/g1/reads"),
    (CONSUMER, "acme/north/gateways/g1/ack"),
    (CONSUMER, "acme/north/gateways/g1/config"),
    (CONSUMER, "acme/north/scans"),
    ("embedded/probe", "acme/north/alerts/critical/fence_exit"),
]
# Something each user may read: when it arrives, what was published before it has been decided.
FENCES = {
    GATEWAY: "acme/north/gateways/g1/ack",
    CONSUMER: "acme/north/alerts/state/fence",
    "embedded/probe": "embedded/probe/ack",
}

Connect = Callable[..., Any]


@pytest.mark.parametrize(("user", "topic"), MAY_WRITE)
def test_may_write(connect: Connect, user: str, topic: str) -> None:
    spy = connect(SPY)
    spy.subscribe(f"{ROOT}/#")
    assert connect(user).publish(f"{ROOT}/{topic}") == "Success"
    assert spy.next_topic() == f"{ROOT}/{topic}"


@pytest.mark.parametrize(("user", "topic"), MAY_NOT_WRITE)
def test_may_not_write(connect: Connect, user: str, topic: str) -> None:
    spy = connect(SPY)
    spy.subscribe("#")
    assert connect(user).publish(f"{ROOT}/{topic}") == "Not authorized"
    spy.publish(FENCE)
    assert spy.next_topic() == FENCE


@pytest.mark.parametrize(("user", "topic"), MAY_READ)
def test_may_read(connect: Connect, user: str, topic: str) -> None:
    reader = connect(user)
    reader.subscribe(f"{ROOT}/{topic}")
    connect(SPY).publish(f"{ROOT}/{topic}")
    assert reader.next_topic() == f"{ROOT}/{topic}"


@pytest.mark.parametrize(("user", "topic"), MAY_NOT_READ)
def test_may_not_read(connect: Connect, user: str, topic: str) -> None:
    reader, spy = connect(user), connect(SPY)
    reader.subscribe("#")
    reader.subscribe(f"{ROOT}/{topic}")
    spy.publish(f"{ROOT}/{topic}")
    spy.publish(f"{ROOT}/{FENCES[user]}")
    assert reader.next_topic() == f"{ROOT}/{FENCES[user]}"


def test_retained_messages_are_guarded_too(connect: Connect) -> None:
    spy = connect(SPY)
    topics = [f"{ROOT}/acme/north/gateways/{gateway}/ack" for gateway in ("g1", "g2")]
    for topic in topics:
        spy.publish(topic, b"7", retain=True)
    reader = connect(GATEWAY)
    reader.subscribe("#")
    assert reader.next_topic() == topics[0]
    spy.publish(topics[0])
    assert reader.next_topic() == topics[0]
    for topic in topics:
        spy.publish(topic, b"", retain=True)


@pytest.mark.parametrize("times", [1, 3])
def test_a_refused_publication_leaves_the_connection(connect: Connect, times: int) -> None:
    """With ``max_queued_messages 0``, mosquitto 2.0.21 would disconnect at the second one."""
    gateway = connect(GATEWAY)
    for _ in range(times):
        assert gateway.publish(f"{ROOT}/acme/north/gateways/g2/reads") == "Not authorized"
    own = gateway.publish(f"{ROOT}/acme/north/gateways/g1/reads")
    assert own in ("Success", "No matching subscribers")
