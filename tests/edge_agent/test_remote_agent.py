"""Remote configuration of a running agent, over a real broker."""

import json
import subprocess
import sys
import threading
import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.decoders import m100, r2000
from pipeline.contracts import topics

ORGANIZATION, FACILITY = "acme", "north"
EPC = "epc:e200301666130121155074ef"
OTHER = "epc:e280699500005009f1286992"
M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")


class Portal:
    """An R2000 board: keeps the power it is told, hears one tag."""

    def __init__(self):
        self.powers = []

    def __call__(self, data):
        replies = b""
        for frame in r2000.Decoder().framer.feed(data):
            command = frame[3]
            if command == r2000.SET_POWER:
                self.powers.append(frame[4])
            if command == r2000.INVENTORY:
                tag = bytes.fromhex("043000e200301666130121155074ef45")
                replies += r2000.encode(command, tag) + r2000.encode(command, bytes(7))
            else:
                replies += r2000.encode(command, b"\x10")
        return replies


@pytest.fixture
def configure(broker, gateway):
    """`configure(revision, ...)`: the retained message, as ops publish it."""
    topic = topics.gateway(ORGANIZATION, FACILITY, gateway, "config")
    client = _client(broker)

    def publish(revision, **changes):
        payload = json.dumps({"gateway": gateway, "revision": revision, **changes})
        client.publish(topic, payload, qos=1, retain=True).wait_for_publish(5)

    yield publish
    for _ in range(100):  # a test may have stopped the broker for a while
        if client.is_connected():
            break
        time.sleep(0.1)
    client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def _client(broker):
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(*broker.credentials())
    there = threading.Event()
    client.on_connect = lambda *_: there.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert there.wait(5)
    return client


def serial(device, name, protocol):
    return (
        f'[[readers]]\nname = "{name}"\nkind = "serial"\nprotocol = "{protocol}"\n'
        f'port = "{device.link}"\nrequired = false\n'
    )


def test_applied_without_a_restart_reported_and_kept(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, configure, broker
):
    pipeline, portal = make_pipeline(gateway), Portal()
    door, sluice = plug_in(portal), plug_in(lambda data: M100_TAG)
    readers = serial(door, "door", "r2000") + serial(sluice, "sluice", "m100")
    config = gateway_settings(readers, extra="status_s = 0.5\nmerge_window_s = 0.2")
    process = start_agent(config)
    wait_for(lambda: {row[0] for row in pipeline.reads()} == {EPC, OTHER})
    started_at = pipeline.statuses[-1].started_at
    assert pipeline.statuses[-1].config is None and portal.powers == []

    configure(7, allow=["epc:e2003*"], power_dbm={"door": 21})
    wait_for(lambda: (c := pipeline.statuses[-1].config) and c.revision == 7 and not c.problem)
    wait_for(lambda: portal.powers == [21])
    # No new agent, and the reader it does not concern was left alone.
    assert pipeline.statuses[-1].started_at == started_at
    assert [r.restarts for r in pipeline.statuses[-1].readers] == [0, 0]
    heard = len(pipeline.reads())
    wait_for(lambda: len(pipeline.reads()) > heard + 5)
    assert {row[0] for row in pipeline.reads()[heard + 2 :]} == {EPC}

    configure(8, merge_window_s=1e6)
    wait_for(lambda: pipeline.statuses[-1].config.problem)
    assert pipeline.statuses[-1].config.revision == 7
    assert "merge_window_s" in pipeline.statuses[-1].config.problem

    # Restarted while the broker is away: what was kept is in force from the first read on.
    process.kill()
    process.wait()
    before = max(row[2] for row in pipeline.reads())
    broker.stop()
    portal.powers.clear()
    process = start_agent(config)
    wait_for(lambda: portal.powers == [21])
    pipeline.statuses.clear()
    broker.start()
    wait_for(lambda: any(s.config and s.config.revision == 7 for s in pipeline.statuses), 20)
    wait_for(lambda: max(row[2] for row in pipeline.reads()) > before + 1_000_000, 20)
    assert {row[0] for row in pipeline.reads() if row[2] > before} == {EPC}


def test_a_weak_signal_filter_and_a_window(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, configure
):
    """-49 dBm is heard at 20 times a second."""
    pipeline = make_pipeline(gateway)
    tag = m100.encode(m100.SINGLE_POLL, M100_TAG[5:-2], kind=m100.NOTICE)
    sluice = plug_in(lambda data: tag)
    start_agent(
        gateway_settings(
            serial(sluice, "sluice", "m100"), extra="status_s = 0.5\nheartbeat_s = 0.2"
        )
    )
    wait_for(pipeline.reads)
    configure(1, min_rssi_dbm=-48)
    wait_for(lambda: (c := pipeline.statuses[-1].config) and c.revision == 1)
    quiet = len(pipeline.reads())
    batches = len(pipeline.batches)
    wait_for(lambda: len(pipeline.batches) > batches + 8)
    assert len(pipeline.reads()) <= quiet + 2
    configure(2, min_rssi_dbm=-50, merge_window_s=0.1)
    wait_for(lambda: len(pipeline.reads()) > quiet + 10)
    assert pipeline.statuses[-1].config.revision == 2


def biotrakr(broker, *words):
    user, password = broker.credentials()
    url = f"mqtt://{user}:{password}@127.0.0.1:{broker.port}"
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", *words, "--mqtt-url", url],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_command_of_ops(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, broker
):
    portal, place = Portal(), f"{ORGANIZATION}/{FACILITY}/{gateway}"
    door = plug_in(portal)
    start_agent(gateway_settings(serial(door, "door", "r2000"), extra="status_s = 0.5"))
    pipeline = make_pipeline(gateway)
    wait_for(pipeline.reads)

    status, said = biotrakr(broker, "gateway", "configure", place, "--power", "door=19")
    assert (status, said) == (0, f"{place}: revision 1 is in force\n")
    wait_for(lambda: portal.powers == [19])

    # The rest stays as it was last sent.
    status, said = biotrakr(broker, "gateway", "configure", place, "--min-rssi=-80")
    assert (status, said) == (0, f"{place}: revision 2 is in force\n")
    status, said = biotrakr(broker, "gateway", "show", place)
    assert status == 0 and "configuration in force: revision 2" in said
    assert '"min_rssi_dbm":-80.0' in said and '"power_dbm":{"door":19.0}' in said

    # Refused by the gateway, which alone knows its readers.
    status, said = biotrakr(broker, "gateway", "configure", place, "--power", "cellar=19")
    assert status == 1 and "revision 3 refused: power_dbm.cellar: no reader" in said
    assert "revision 2 stays in force" in said and len(said.splitlines()) == 1

    status, said = biotrakr(broker, "gateway", "configure", place, "--reset")
    assert (status, said) == (0, f"{place}: revision 4 is in force\n")
    wait_for(lambda: pipeline.statuses[-1].config.revision == 4)


@pytest.mark.parametrize(
    "words, said",
    [
        (["configure", "acme/north/g1"], "say what to change"),
        (["show", "acme/north/g1", "--reset"], "gateway show changes nothing"),
        (["configure", "acme/g1", "--reset"], "a gateway is organization/facility/name"),
        (["configure", "acme/north/g 1", "--reset"], "a gateway is organization/facility/name"),
        (["configure", "acme/north/g1", "--power", "door"], "write READER=DBM"),
        (["configure", "acme/north/g1", "--allow", "*"], "allow.0: String should match"),
        (["configure", "acme/north/g1", "--merge-window", "999"], "merge_window_s: Input should"),
        (["configure", "acme/north/g1", "--allow-from", "/nowhere"], "--allow-from"),
    ],
)
def test_mistakes_of_ops_are_one_line_and_send_nothing(broker, words, said):
    status, text = biotrakr(broker, "gateway", *words)
    assert status == 2 and said in text and len(text.splitlines()) == 1


def test_a_gateway_that_is_away_will_get_it(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, broker
):
    place = f"{ORGANIZATION}/{FACILITY}/{gateway}"
    words = ("gateway", "configure", place, "--power", "door=19", "--wait", "0.5")
    status, said = biotrakr(broker, *words)
    assert status == 1 and "no answer yet (the gateway is never heard of)" in said
    portal = Portal()
    door = plug_in(portal)
    start_agent(gateway_settings(serial(door, "door", "r2000")))
    wait_for(lambda: 19 in portal.powers)
