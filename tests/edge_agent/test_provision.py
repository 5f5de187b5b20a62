"""Provisioning: a key that never leaves, a request that ops sign, and a broker that goes by it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.cli import main
from edge_agent.provision_command import default_name
from pipeline.cli.main import main as biotrakr
from pipeline.embedded.ports import free_port

NAMES = ("--organization", "acme", "--facility", "north", "--gateway", "g1")
USER = "acme/north/gateways/g1"
CONFIG = Path(__file__).parents[2] / "config" / "mosquitto"


@pytest.fixture
def provision(tmp_path, capsys):
    """`provision(...)` -> exit status, output, errors."""

    def run(*words, names=NAMES, folder=tmp_path / "identity"):
        status = main(["provision", "--directory", str(folder), *names, *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    run.folder = tmp_path / "identity"
    return run


@pytest.fixture
def sign(tmp_path, capsys):
    """`sign(request)` -> exit status, certificate or error; `sign.vault` has the authority."""
    vault, out = tmp_path / "vault", tmp_path / "out"
    out.mkdir()
    options = ["--vault", str(vault), "--out", str(out), "--mosquitto", str(CONFIG)]
    (tmp_path / "sites").mkdir()

    def run(request, *words):
        status = biotrakr(["keys", *options, "sign", str(request), *words])
        said = capsys.readouterr()
        return status, said.out if status == 0 else said.err

    run.vault = vault
    run.make = lambda: biotrakr(["keys", *options, "make"])
    return run


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=True)
    return done.stdout


def test_what_is_made_and_said(provision):
    status, out, err = provision()
    assert (status, err) == (0, "")
    key, request = provision.folder / "gateway.key", provision.folder / "gateway.csr"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "subject=CN=acme/north/gateways/g1" in openssl(
        "req", "-in", request, "-noout", "-verify", "-subject", "-nameopt", "RFC2253"
    )
    assert openssl("pkey", "-in", key, "-pubout") == openssl("req", "-in", request, "-pubkey",
                                                             "-noout")  # fmt: skip
    public = subprocess.run(
        ["sh", "-c", f"openssl pkey -in {key} -pubout -outform DER | sha256sum"],
        capture_output=True, text=True, check=True,
    ).stdout.split()[0]  # fmt: skip
    assert public in out.replace(":", "").replace("SHA-256 ", "")
    assert USER in out and "biotrakr keys" in out and 'gateway = "g1"' in out
    assert "PRIVATE" not in out and key.read_text().splitlines()[1] not in out


def test_again_it_changes_nothing(provision):
    first = provision()
    files = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in provision.folder.iterdir()}
    second = provision()
    again = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in provision.folder.iterdir()}
    assert again == files and "nothing was changed" in second[1]
    assert re.findall("SHA-256 (.*)", first[1]) == re.findall("SHA-256 (.*)", second[1])


def test_another_name_is_another_request_for_the_same_key(provision):
    provision()
    key = (provision.folder / "gateway.key").read_bytes()
    _, out, _ = provision(
        names=("--organization", "acme", "--facility", "south", "--gateway", "g2")
    )
    assert (provision.folder / "gateway.key").read_bytes() == key and "made gateway.csr\n" in out
    assert "south/gateways/g2" in openssl(
        "req", "-in", provision.folder / "gateway.csr", "-noout", "-subject"
    )


def test_only_force_makes_a_new_key(provision):
    provision()
    key, request = provision.folder / "gateway.key", provision.folder / "gateway.csr"
    before = key.read_bytes(), request.read_bytes()
    assert provision("--force")[0] == 0
    assert key.read_bytes() != before[0] and request.read_bytes() != before[1]
    key.write_text("not a key")
    status, _, err = provision()
    assert status == 1 and "--force" in err and len(err.splitlines()) == 1
    assert key.read_text() == "not a key"
    assert provision("--force")[0] == 0


@pytest.mark.parametrize(
    "names, said",
    [
        (("--organization", "acme", "--gateway", "g1"), "facility: give --facility"),
        (("--organization", "Acme", "--facility", "n", "--gateway", "g"), "use 1 to 63 of a-z"),
        (
            ("--organization", "a" * 30, "--facility", "n" * 30, "--gateway", "g"),
            "a certificate holds 64 characters",
        ),
        (("--config", "/nowhere.toml"), "/nowhere.toml"),
    ],
)
def test_wrong_names_make_nothing(provision, names, said):
    status, out, err = provision(names=names)
    assert (status, out) == (2, "") and said in err and len(err.splitlines()) == 1
    assert not provision.folder.exists()


def test_names_from_the_configuration(provision, tmp_path):
    """Of a file that is not complete yet: its certificate is what is being made."""
    path = tmp_path / "gateway.toml"
    path.write_text('organization = "acme"\nfacility = "north"\ngateway = "g1"\n[broker]\nx = 1\n')
    assert USER in provision(names=("--config", str(path)))[1]


def test_a_place_that_cannot_be_written(provision, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = provision(folder=tmp_path / "file" / "x")
    assert status == 1 and len(err.splitlines()) == 1


def test_a_name_from_the_machine(tmp_path):
    serial, other = tmp_path / "serial-number", tmp_path / "machine-id"
    other.write_text("d4f1c0ffee00\n")
    assert default_name((serial, other)) == "gw-c0ffee00"
    serial.write_text("100000003d1d1c36\0")
    assert default_name((serial, other)) == "gw-3d1d1c36"
    assert default_name((tmp_path / "none",)) is None


def test_ops_sign_it_once_there_is_an_authority(provision, sign, tmp_path):
    provision()
    request = provision.folder / "gateway.csr"
    status, said = sign(request)
    assert status == 2 and "biotrakr keys make" in said
    sign.make()
    status, certificate = sign(request, "--days", "30")
    assert status == 0
    path = tmp_path / "gateway.crt"
    path.write_text(certificate[certificate.index("-----BEGIN") :])
    openssl("verify", "-CAfile", sign.vault / "ca.crt", "-purpose", "sslclient", path)
    with pytest.raises(subprocess.CalledProcessError):  # a gateway must not pass for the broker
        openssl("verify", "-CAfile", sign.vault / "ca.crt", "-purpose", "sslserver", path)


@pytest.mark.parametrize(
    "subject",
    ["/CN=pipeline", "/CN=acme", "/CN=acme.north", "/O=x/CN=acme\\/north\\/gateways\\/g1",
     "/CN=acme\\/north\\/gateways\\/+", "/CN=acme\\/north\\/gateways\\/g1\\/x"],
)  # fmt: skip
def test_ops_sign_nothing_but_a_gateway(sign, tmp_path, subject):
    sign.make()
    request = tmp_path / "x.csr"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", subject, "-keyout", tmp_path / "x.key", "-out", request)  # fmt: skip
    status, said = sign(request)
    assert status == 2 and "does not name a gateway" in said


def test_a_request_that_was_tampered_with(provision, sign):
    sign.make()
    provision()
    request = provision.folder / "gateway.csr"
    lines = request.read_text().splitlines()
    lines[-2] = lines[-2][:-6] + ("AAAA" if lines[-2][-6:-2] != "AAAA" else "BBBB") + lines[-2][-2:]
    request.write_text("\n".join(lines) + "\n")
    status, said = sign(request)
    assert status == 2 and "signature is wrong" in said
    request.write_text("hello")
    assert sign(request)[0] == 2


@pytest.fixture
def certificate_broker(sign, broker, tmp_path):
    """A real Mosquitto that goes by certificates, with the production access list. -> its port"""
    sign.make()
    port, folder = free_port(), tmp_path / "mosquitto"
    folder.mkdir()
    (folder / "conf").write_text(
        f"user root\nlistener {port} 127.0.0.1\ncafile {sign.vault}/ca.crt\n"
        f"certfile {sign.vault}/server.crt\nkeyfile {sign.vault}/server.key\n"
        "require_certificate true\nuse_identity_as_username true\n"
        f"acl_file {folder}/acl\n"
    )
    # The test listens in as a gateway, which the production list does not let it.
    spy = "user acme/north/gateways/spy\ntopic readwrite biotrakr/#\n\n"
    (folder / "acl").write_text(spy + (CONFIG / "acl").read_text())
    (folder / "acl").chmod(0o600)
    log = (folder / "log").open("wb")
    command = [broker.installation.mosquitto, "-v", "-c", folder / "conf"]
    with subprocess.Popen(command, stdout=log, stderr=log) as server:
        time.sleep(0.3)
        yield port
        server.terminate()
    log.close()


def test_the_broker_lets_in_who_was_signed_as_who_it_is(
    provision,
    sign,
    certificate_broker,
    start_agent,
    write_settings,
    replay_reader,
    tmp_path,
    wait_for,
):
    identities = {}
    for name in ("g1", "spy"):
        folder = tmp_path / name
        names = ("--organization", "acme", "--facility", "north", "--gateway", name)
        provision(names=names, folder=folder)
        (folder / "gateway.crt").write_text(sign(folder / "gateway.csr")[1])
        identities[name] = folder
    heard = []
    spy = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="spy")
    spy.tls_set(str(sign.vault / "ca.crt"), *(str(identities["spy"] / f"gateway.{end}")
                                              for end in ("crt", "key")))  # fmt: skip
    spy.on_connect = lambda client, *_: client.subscribe("biotrakr/#")
    spy.on_message = lambda _c, _d, message: heard.append(message.topic)
    spy.connect("localhost", certificate_broker)
    spy.loop_start()
    ours = identities["g1"]
    lines = (
        f'ca_file = "{sign.vault}/ca.crt"\ncert_file = "{ours}/gateway.crt"\n'
        f'key_file = "{ours}/gateway.key"'
    )
    readers = replay_reader(tmp_path / "r.jsonl")
    url = f"mqtts://localhost:{certificate_broker}"
    config = write_settings(readers, url=url, broker=lines, extra="status_s = 0.5")
    start_agent(config)
    try:
        wait_for(lambda: "biotrakr/v1/acme/north/gateways/g1/status" in heard)
    finally:
        spy.disconnect()
        spy.loop_stop()


def test_the_broker_refuses_a_certificate_that_ops_did_not_sign_and_the_agent_says_so(
    provision,
    sign,
    certificate_broker,
    start_agent,
    write_settings,
    replay_reader,
    tmp_path,
    wait_for,
):
    provision()
    ours = provision.folder
    openssl("req", "-x509", "-key", ours / "gateway.key", "-days", "2", "-subj",
            "/CN=acme\\/north\\/gateways\\/g1", "-out", ours / "gateway.crt")  # fmt: skip
    lines = (
        f'ca_file = "{sign.vault}/ca.crt"\ncert_file = "{ours}/gateway.crt"\n'
        f'key_file = "{ours}/gateway.key"'
    )
    url = f"mqtts://localhost:{certificate_broker}"
    readers = replay_reader(tmp_path / "r.jsonl")
    config = write_settings(readers, url=url, broker=lines, extra="status_s = 0.5")
    start_agent(config)

    def state():
        done = subprocess.run(
            [sys.executable, "-m", "edge_agent.cli", "status", "--config", config],
            capture_output=True, text=True, check=False, env=dict(os.environ),
        )  # fmt: skip
        return done.stdout

    wait_for(lambda: re.search(r"broker .*(certificate|unknown ca|alert)", state()), 15)
    # Signed by ops it is let in, without a restart: files are read at each connection.
    (ours / "gateway.crt").write_text(sign(ours / "gateway.csr")[1])
    wait_for(lambda: "connected" in (tmp_path / "agent.log").read_text(), 45)
    wait_for(lambda: re.search(r"broker\s+connected", state()))
