"""config/mosquitto/mosquitto.conf: the real broker takes it, over TLS, and it agrees with ours."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.embedded import Installation
from pipeline.embedded.mosquitto import _CONFIGURATION, production_acl
from pipeline.embedded.ports import free_port

CONFIG = Path(__file__).parents[3] / "config/mosquitto"


def _options(text: str) -> dict[str, str]:
    lines = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {words[0]: words[-1] for words in lines if not words[0].startswith("#")}


def test_the_limits_are_those_of_the_embedded_broker() -> None:
    production = _options((CONFIG / "mosquitto.conf").read_text())
    embedded = _options(_CONFIGURATION)
    for option in (
        "allow_anonymous",
        "max_inflight_messages",
        "max_queued_messages",
        "max_packet_size",
        "persistence",
    ):
        assert production[option] == embedded[option], option
    assert production_acl() == (CONFIG / "acl").read_text()


def _certificates(folder: Path) -> None:
    folder.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copy(folder / "server.crt", folder / "ca.crt")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_the_broker_takes_it(folder: Path, installation: Installation) -> None:
    _certificates(folder / "certs")
    (folder / "config").mkdir()
    (folder / "data").mkdir()
    passwords = folder / "config/passwords"
    shutil.copy(CONFIG / "acl", folder / "config/acl")
    subprocess.run(
        [installation.mosquitto_passwd, "-b", "-c", passwords, "pipeline", "secret"], check=True
    )
    port = free_port()
    text = (CONFIG / "mosquitto.conf").read_text()
    text = text.replace("/mosquitto/", f"{folder}/").replace("listener 8883", f"listener {port}")
    (folder / "mosquitto.conf").write_text(text + "\nuser root\n")

    broker = subprocess.Popen(
        [installation.mosquitto, "-c", folder / "mosquitto.conf"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        answer = _connect(port, folder / "certs/ca.crt")
    finally:
        broker.terminate()
        output, _ = broker.communicate(timeout=10)
    assert answer == "Success", output
    assert "rror" not in output


def _connect(port: int, authority: Path) -> str:
    deadline = time.monotonic() + 10
    answers: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.tls_set_context(ssl.create_default_context(cafile=str(authority)))
    client.username_pw_set("pipeline", "secret")
    client.on_connect = lambda _c, _u, _f, code, _p: answers.append(str(code))
    while True:
        try:
            client.connect("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    while not answers and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    return answers[0] if answers else "no answer"
