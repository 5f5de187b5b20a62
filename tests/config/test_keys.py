"""`biotrakr keys`: what is made once, to whom it goes, and that a real broker takes it."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.cli import keys
from pipeline.cli.errors import CliError
from pipeline.cli.keys import CONSUMERS
from pipeline.embedded.packages import prepare
from pipeline.embedded.ports import free_port

CONFIG = Path(__file__).parents[2] / "config/mosquitto"
GATEWAY = "st-elmo/general/gateways/gw-1-east"

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl makes the certificates"
)


class Keys:
    """`biotrakr keys` on folders of its own; `owners` is to whom files were given."""

    def __init__(self, run: Callable[..., int], folder: Path) -> None:
        self._run, self.vault, self.out = run, folder / "vault", folder / "out"
        self.owners: dict[str, int] = {}
        for name in CONSUMERS:
            (self.out / name).mkdir(parents=True)

    def __call__(self, *words: str) -> None:
        folders = ("--vault", self.vault, "--out", self.out, "--mosquitto", CONFIG)
        assert self._run(keys, "keys", *folders, *words) == 0

    def given(self, name: str) -> str:
        return (self.out / name).read_text()

    def all(self) -> dict[str, str]:
        """Everything that was handed out and does not change by itself."""
        return {
            str(path.relative_to(self.out)): path.read_text()
            for path in self.out.rglob("*")
            if path.is_file() and path.name != "passwords"  # salted anew each time
        }


@pytest.fixture
def made(run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    made = Keys(run, tmp_path)

    def give(descriptor: int, owner: int, group: int) -> None:
        assert owner == group
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        made.owners[path.parent.name] = owner

    # Only root may give files away.
    monkeypatch.setattr(os, "fchown", give)
    umask = os.umask(0o022)
    made("make", "--simulated")
    os.umask(umask)
    return made


def test_each_gets_its_own_and_nobody_else_may_read_it(made: Keys) -> None:
    assert made.owners == {name: owner for name, (owner, _) in CONSUMERS.items()}
    files = [path for path in made.out.rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in made.vault.iterdir() if path.is_file())
    assert {path.parent.name for path in files} == set(CONSUMERS)


def test_a_secret_stands_nowhere_else(made: Keys) -> None:
    vault = json.loads((made.vault / "vault.json").read_text())
    secrets = vault["broker"] | vault["database"]
    assert len(set(secrets.values())) == len(secrets)
    assert min(map(len, secrets.values())) >= 32
    where = {
        name: {file.split("/")[0] for file, text in made.all().items() if secret in text}
        for name, secret in secrets.items()
    }
    assert where["postgres"] == {"database", "setup"}
    assert where["biotrakr_pipeline"] == {"pipeline", "setup"}
    assert where["biotrakr_history"] == {"history", "setup"}
    assert where["analyst_st-elmo"] == {"setup"}
    assert where["pipeline"] == {"pipeline"}
    assert where[GATEWAY] == {"demo"}
    assert where["st-elmo"] == set()
    assert not any(secret in made.given("broker-config/passwords") for secret in secrets.values())


def test_a_second_time_changes_nothing(made: Keys) -> None:
    before = made.all()
    made("make", "--simulated")
    assert made.all() == before


def test_the_certificate_is_made_anew_for_other_names(made: Keys) -> None:
    before = made.all()
    made("make", "--simulated", "--broker-names", "broker.acme.example, 10.0.0.5")
    changed = {name for name, text in made.all().items() if text != before[name]}
    assert changed == {"broker-certs/server.crt", "broker-certs/server.key"}
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName"],
        input=made.given("broker-certs/server.crt"), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in ("DNS:broker", "DNS:localhost", "DNS:broker.acme.example", "IP Address:10.0.0.5"):
        assert name in text
    with pytest.raises(CliError, match="neither a host name nor"):
        made("make", "--broker-names", "a b")


def test_users_come_and_go(made: Keys, capsys: pytest.CaptureFixture[str]) -> None:
    made("add", "st-elmo/paging")
    made("show", "st-elmo/paging")
    first = capsys.readouterr().out.split()[-1]
    assert "\nst-elmo/paging:$7$101$" in made.given("broker-config/passwords")
    made("renew", "st-elmo/paging")
    made("show", "st-elmo/paging")
    assert capsys.readouterr().out.split()[-1] != first
    made("remove", "st-elmo/paging")
    assert "st-elmo/paging" not in made.given("broker-config/passwords")
    made("list")
    assert {GATEWAY, "pipeline", "analyst_st-elmo"} <= set(capsys.readouterr().out.split())


def test_a_login_is_renewed(made: Keys) -> None:
    before = made.all()
    made("renew", "biotrakr_pipeline")
    changed = {name for name, text in made.all().items() if text != before[name]}
    assert changed == {"pipeline/database_url", "setup/logins.json"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["add"], "give one name"),
        (["list", "x"], "takes no name"),
        (["add", "a:b"], "cannot be a user"),
        (["add", "a+"], "cannot be a user"),
        (["show", "nobody"], "no user 'nobody'"),
        (["remove", "analyst_st-elmo"], "database login"),
        (["remove", "pipeline"], "is needed"),
        (["renew", "postgres"], "only the database"),
    ],
)
def test_refusals(made: Keys, words: list[str], problem: str) -> None:
    before = made.all()
    with pytest.raises(CliError, match=problem):
        made(*words)
    assert made.all() == before


def test_an_unknown_consumer_is_refused(made: Keys) -> None:
    (made.out / "somebody").mkdir()
    with pytest.raises(CliError, match="somebody"):
        made("make", "--simulated")


def test_a_real_broker_takes_what_it_is_given(made: Keys, tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    data.mkdir()
    config = _configuration(made, data, port)
    broker = subprocess.Popen(
        [prepare().mosquitto, "-c", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    url = urlsplit(made.given("pipeline/mqtt_url"))
    try:
        password = made.given("demo/gw-1-east.password")
        answers = [
            _connect(port, made.out / "pipeline/ca.crt", url.username, url.password),
            _connect(port, made.out / "demo/ca.crt", GATEWAY, password),
            _connect(port, made.out / "demo/ca.crt", GATEWAY, "guess"),
        ]
    finally:
        broker.terminate()
        output, _ = broker.communicate(timeout=10)
    assert answers == ["Success", "Success", "Not authorized"], output


def _configuration(made: Keys, data: Path, port: int) -> Path:
    """The handed out configuration, with the container's paths replaced."""
    text = made.given("broker-config/mosquitto.conf")
    places = {
        "/mosquitto/certs": made.out / "broker-certs",
        "/mosquitto/config": made.out / "broker-config",
        "/mosquitto/data": data,
        "listener 8883": f"listener {port} 127.0.0.1",
    }
    for old, new in places.items():
        text = text.replace(old, str(new))
    config = data / "mosquitto.conf"
    config.write_text(f"{text}\n{'user root' if os.getuid() == 0 else ''}\n")
    return config


def _connect(port: int, authority: Path, user: str | None, password: str | None) -> str:
    deadline = time.monotonic() + 10
    answers: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set_context(ssl.create_default_context(cafile=str(authority)))
    client.username_pw_set(user, password)
    client.on_connect = lambda _c, _u, _f, code, _p: answers.append(str(code))
    while True:
        try:
            client.connect("localhost", port)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    while not answers and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    return answers[0] if answers else "no answer"


def test_the_process_s_umask_is_given_back(made: Keys) -> None:
    before = os.umask(0o027)
    try:
        made("list")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
