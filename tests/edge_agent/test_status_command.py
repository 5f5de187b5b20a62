"""`biotrakr-edge status` beside a real agent: exit status 0, 1, 2 and what a technician reads."""

import json
import os
import signal
import subprocess
import sys

import pytest

from edge_agent import local_status

M100_TAG = bytes.fromhex("bb02220011cf3000e280699500005009f1286992620a6d7e")


def status(*words):
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", "status", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def serial(link, name="door"):
    return (
        f'[[readers]]\nname = "{name}"\nkind = "serial"\nprotocol = "m100"\n'
        f'port = "{link}"\nrequired = false\n'
    )


def test_well_in_trouble_and_gone(
    plug_in, start_agent, gateway_settings, make_pipeline, gateway, wait_for, tmp_path
):
    pipeline = make_pipeline(gateway)
    device = plug_in(lambda data: M100_TAG)
    config = gateway_settings(serial(device.link), extra="status_s = 0.5")
    code, out, err = status("--config", config)
    assert (code, out) == (2, "") and "no agent runs here" in err and "systemctl start" in err

    process = start_agent(config)
    wait_for(pipeline.reads)
    code, out, err = wait_for(lambda: (s := status("--config", config))[0] == 0 and s)
    assert err == ""
    assert out.startswith(f"acme/north/gateways/{gateway}: good, version")
    assert "BAD" not in out and "door    m100  running" in out
    assert "connected" in out and "last acknowledgement  " in out and "clock  " in out
    assert "password" not in out

    device.unplug()
    code, out, err = wait_for(lambda: (s := status("--config", config))[0] == 1 and s)
    assert "BAD  readers" in out and "door (" in out and "cable" in out
    device.plug()
    wait_for(lambda: status("--config", config)[0] == 0)

    process.send_signal(signal.SIGSTOP)
    code, out, err = wait_for(lambda: (s := status("--config", config))[0] == 2 and s, 20)
    assert "the agent hangs: it has said nothing for" in err
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: status("--config", config)[0] == 0)

    process.kill()
    process.wait()
    code, out, err = status("--config", config)
    assert code == 2 and "without saying why" in err
    process = start_agent(config)
    wait_for(lambda: status("--config", config)[0] == 0)
    process.terminate()
    process.wait()
    code, out, err = status("--config", config, "--json")
    assert code == 2 and "the agent was stopped" in err
    assert json.loads(out)["status"]["state"] == "offline"


def test_a_broker_that_is_away_is_trouble_after_a_while(
    start_agent, write_settings, replay_reader, tmp_path, wait_for
):
    config = write_settings(replay_reader(tmp_path / "r.jsonl"), extra="status_s = 0.5")
    start_agent(config)
    content = wait_for(lambda: (s := status("--config", config, "--json"))[1] and json.loads(s[1]))
    checks = {check["name"]: check for check in content["health"]["checks"]}
    assert "refused" in checks["broker"]["detail"] and checks["broker"]["limit_s"] == 60
    assert content["broker"]["connected"] is False


def test_without_root(start_agent, gateway_settings, replay_reader, tmp_path, wait_for):
    """A technician can read neither the password nor the spool; the status is for everybody."""
    config = gateway_settings(replay_reader(tmp_path / "r.jsonl"), extra="status_s = 0.5")
    start_agent(config)
    file = tmp_path / "spool" / "spool.sqlite.status"
    wait_for(file.exists)
    assert file.stat().st_mode & 0o777 == 0o644
    secret = (tmp_path / "password").read_text()
    (tmp_path / "password").unlink()
    assert status("--config", config)[0] == 0
    assert secret not in file.read_text()


def test_a_status_of_an_earlier_boot_is_none(tmp_path, monkeypatch):
    file = tmp_path / "status.json"
    content = {
        "health": {"status": "good", "checks": []}, "status": {"state": "online"},
        "kernel_boot": "another", "uptime_s": 1e9, "every_s": 10, "process": os.getpid(),
    }  # fmt: skip
    local_status.write(file, content)
    code, _out, err = status("--file", file)
    assert code == 2 and "has not been started since this machine was" in err


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\0"])
def test_a_file_that_is_no_status(tmp_path, text):
    file = tmp_path / "status.json"
    file.write_text(text)
    code, _out, err = status("--file", file)
    assert code == 2 and len(err.splitlines()) == 1


def test_where_the_file_lies(write_settings, replay_reader, tmp_path):
    from edge_agent.settings import load

    readers = replay_reader(tmp_path / "r.jsonl")
    plain = load(write_settings(readers))
    spool = tmp_path / "spool" / "spool.sqlite"
    assert local_status.path_of(plain, {}) == spool.with_name("spool.sqlite.status")
    runtime = {"RUNTIME_DIRECTORY": "/run/biotrakr"}
    assert local_status.path_of(plain, runtime) == local_status.DEFAULT
    told = load(write_settings(readers, extra='status_file = "/x/y"'))
    assert str(local_status.path_of(told, runtime)) == "/x/y"
