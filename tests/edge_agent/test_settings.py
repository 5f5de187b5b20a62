"""Every mistake in a configuration has one clear message, and nothing is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.cli import main
from edge_agent.errors import SettingsError
from edge_agent.mqtt_connection import password
from edge_agent.settings import load

EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "gateway.toml"
BLE = '[[readers]]\nname = "ward"\nkind = "ble"\n'


def test_the_example_is_good():
    settings = load(EXAMPLE)
    assert settings.user == "st-mary/main/gateways/gw-3f-east"
    assert [reader.kind for reader in settings.readers] == ["serial", "serial", "ble"]


def test_the_examples_comments_show_the_defaults(tmp_path):
    """Uncommenting what is commented out changes nothing but what names a file."""
    lines = EXAMPLE.read_text().splitlines()
    named = (
        "_file",
        "_address",
        "power_dbm",
        "min_rssi_dbm",
        "username",
        "path = ",
        "kind = ",
        "name = ",
        "[[readers]]",
        "#   ",
    )
    plain = [
        line[2:]
        if line.startswith("# ") and " = " in line and not any(n in line for n in named)
        else line
        for line in lines[: next(n for n, text in enumerate(lines) if "A captured" in text)]
    ]
    full = tmp_path / "full.toml"
    full.write_text("\n".join(line for line in plain if not line.startswith("The ")))
    told, plain = load(full).model_dump(), load(EXAMPLE).model_dump()
    assert told["readers"][0].pop("silent_after_s") == 10.0  # the default is that of the protocol
    del plain["readers"][0]["silent_after_s"]
    assert told == plain
    assert full.read_text().count("\n# ") < EXAMPLE.read_text().count("\n# ")


MISTAKES = [
    ("extra", "colour = 1", "colour: unknown key"),
    ("extra", "merge_window_s = 0", "merge_window_s: input should be greater than or equal to 0.1"),
    ("extra", 'allow = ["*"]', "allow[0]: string should match pattern"),
    ("broker", "speed = 1", "broker.speed: unknown key"),
    ("broker", 'ca_file = "/nowhere/ca.pem"', "broker.ca_file: /nowhere/ca.pem cannot be read"),
    ("broker", 'password_file = "/nowhere"', "broker.password_file: /nowhere cannot be read"),
    ("broker", "max_in_flight = 0", "broker.max_in_flight: input should be greater"),
    ("url", "http://x", "broker.url: expected mqtt://host[:port] or mqtts://host[:port]"),
    ("url", "mqtt://", "broker.url: expected mqtt://host[:port]"),
    ("url", "mqtt://a:secret@x", "broker.url: no credentials here"),
    ("url", "mqtt://x:99999", "broker.url: port out of range"),
    ("spool", "max_bytes = 1", "spool.max_bytes: input should be greater"),
    (
        "readers",
        '[[readers]]\nname = "a"\nkind = "smoke"',
        "readers[0].kind: expected one of serial, ble, replay",
    ),
    ("readers", '[[readers]]\nkind = "ble"', "readers[0].name: field required"),
    ("readers", '[[readers]]\nname = "A b"\nkind = "ble"', "readers[0].name: string should match"),
    ("readers", BLE + BLE, "readers: two readers are called ward"),
    ("readers", BLE + 'adapter = "wlan0"', "readers[0].adapter: string should match"),
    ("readers", BLE + "port = 1", "readers[0].port: unknown key"),
    (
        "readers",
        BLE + '[[readers]]\nname = "p"\nkind = "serial"\nprotocol = "r2000"\nport = "/dev/no1"',
        "readers[1].port: /dev/no1 does not exist",
    ),
    (
        "readers",
        '[[readers]]\nname = "p"\nkind = "serial"\nprotocol = "x"\nport = "/dev/null"',
        "readers[0].protocol: there is no x; there are: chafon_cf, line, m100, mercury",
    ),
    (
        "readers",
        '[[readers]]\nname = "p"\nkind = "serial"\nprotocol = "m100"\nport = "/dev/null"\n'
        "antennas = [1, 2]",
        "readers[0].antennas: m100 goes over one only",
    ),
    (
        "readers",
        '[[readers]]\nname = "s"\nkind = "replay"\npath = "/no/file"\nfollow = false',
        "readers[0].path: /no/file does not exist",
    ),
]


@pytest.mark.parametrize("where, text, message", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_has_one_message(write_settings, tmp_path, capsys, where, text, message):
    readers, options = (text, {}) if where == "readers" else (BLE, {where: text})
    config = write_settings(readers, **options)
    for command in ("run", "check-config"):
        assert main([command, "--config", str(config)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith(f"biotrakr-edge: {message}")
    assert not (tmp_path / "spool").exists()
    assert "secret" not in lines[0]


def test_all_mistakes_are_told_at_once(write_settings, capsys):
    readers = '[[readers]]\nname = "p"\nkind = "serial"\nprotocol = "r2000"\nport = "/dev/no1"'
    config = write_settings(readers, url="http://x", extra="colour = 1\nsize = 2")
    assert main(["run", "--config", str(config)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 4


@pytest.mark.parametrize(
    "content, message",
    [("a = [", "not TOML"), ("", "organization: field required"), ("\0", "not TOML")],
)
def test_no_toml_or_nothing_in_it(tmp_path, content, message):
    path = tmp_path / "x.toml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        load(path)


def test_no_file(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "missing.toml")


def test_exit_status_of_the_real_command(write_settings, replay_reader, tmp_path):
    bad = write_settings(replay_reader(tmp_path / "r.jsonl"), extra="colour = 1")

    def command(*words):
        line = [sys.executable, "-m", "edge_agent.cli", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    run = command("run", "--config", bad)
    assert (run.returncode, run.stderr) == (2, "biotrakr-edge: colour: unknown key\n")
    good = write_settings(replay_reader(tmp_path / "r.jsonl"))
    check = command("check-config", "--config", good)
    assert check.returncode == 0 and "acme/north/gateways/g1" in check.stdout


def test_a_serial_port_may_be_awaited(write_settings):
    readers = '[[readers]]\nname = "p"\nkind = "serial"\nprotocol = "r2000"\nport = "/dev/no1"'
    load(write_settings(readers + "\nrequired = false"))


def test_the_password_comes_from_the_environment_or_a_file(write_settings, tmp_path, monkeypatch):
    file = tmp_path / "password"
    file.write_text("from file\n")
    broker = load(write_settings(BLE, broker=f'password_file = "{file}"')).broker
    assert password(broker) == "from file"
    monkeypatch.setitem(os.environ, "BIOTRAKR_MQTT_PASSWORD", "from environment")
    assert password(broker) == "from environment"
