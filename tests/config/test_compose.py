"""docker-compose.yml and the Dockerfile: hardened, pinned, and without a secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli.keys import CONSUMERS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"keys", "setup", "demo-keys", "demo-setup"}
FOREIGN = {"database", "broker"}
"""Services whose image is not ours."""
KNOWN_KEYS = {
    "build", "cap_add", "cap_drop", "command", "depends_on", "entrypoint", "environment",
    "healthcheck", "image", "init", "logging", "mem_limit", "network_mode", "networks",
    "pids_limit", "ports", "profiles", "read_only", "restart", "security_opt", "shm_size",
    "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def _mounts(name: str) -> list[dict[str, Any]]:
    """The volumes of a service in their long form."""
    found = []
    for mount in SERVICES[name].get("volumes", []):
        if isinstance(mount, str):
            source, target, *mode = mount.split(":")
            short = {"type": "volume", "source": source, "target": target}
            found.append(short | {"read_only": mode == ["ro"]})
        else:
            found.append(mount)
    return found


def test_what_is_there() -> None:
    assert set(COMPOSE) - {"x-hardened", "x-biotrakr"} == {
        "name", "services", "networks", "volumes",
    }  # fmt: skip
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert always == {"keys", "setup", "database", "broker", "pipeline", "history"}
    assert all(SERVICES[name]["profiles"] == ["demo"] for name in set(SERVICES) - always)


@each_service
def test_keys_and_references(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= KNOWN_KEYS
    for other, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert how["condition"] == wanted
        needs_demo = "profiles" in SERVICES[other] and "profiles" not in service
        assert how.get("required", True) is not needs_demo
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    named = {mount["source"] for mount in _mounts(name) if mount["type"] == "volume"}
    assert named <= set(COMPOSE["volumes"])


@each_service
def test_hardening(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "pid", "ipc", "userns_mode", "devices"} & set(service)
    assert not any("docker.sock" in str(mount) for mount in _mounts(name))


@each_service
def test_user(name: str) -> None:
    service = SERVICES[name]
    if name in {"keys", "demo-keys"}:
        # The only root: it gives files away, and can do nothing else.
        assert (service["user"], service["cap_add"]) == ("0:0", ["CHOWN"])
        assert service["network_mode"] == "none"
        assert "networks" not in service
        assert "ports" not in service
    else:
        assert "cap_add" not in service
        assert int(service["user"].split(":")[0]) > 0


@each_service
def test_health(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


@each_service
def test_ports(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:") or port == "${BIOTRAKR_BROKER_PORT:-8883}:8883"


@each_service
def test_no_secret(name: str) -> None:
    for key, value in (SERVICES[name].get("environment") or {}).items():
        if re.search("PASSWORD|URL|SECRET|TOKEN|KEY", key):
            assert key.endswith("_FILE"), key
            assert value.startswith("/run/secrets/"), key
    assert not re.search(r"://[^/\s]*:[^/\s]*@", str(SERVICES[name]))


def test_images_are_pinned() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in SERVICES.items():
        image = service["image"]
        if name not in FOREIGN:
            assert image == f"biotrakr:{version}"
            continue
        assert "build" not in service
        assert re.fullmatch(r"[a-z-]+(/[a-z]+)?:\d+\.\d+\.\d+(-pg17)?", image), image
    dockerfile = (ROOT / "config/docker/Dockerfile").read_text()
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.12\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert f"biotrakr:{version}" in dockerfile


def test_secrets_reach_their_owner_only() -> None:
    """Who mounts what `keys` hands out, read-only, and runs as the user it is given to."""
    handed = {
        mount["target"].removeprefix("/out/"): mount["source"]
        for name in ("keys", "demo-keys")
        for mount in _mounts(name)
        if mount["target"].startswith("/out/")
    }
    assert set(handed) == set(CONSUMERS)
    for folder, volume in handed.items():
        owner, _ = CONSUMERS[folder]
        readers = [
            (name, mount)
            for name in set(SERVICES) - {"keys", "demo-keys"}
            for mount in _mounts(name)
            if mount["source"] == volume
        ]
        assert readers
        for name, mount in readers:
            assert mount["read_only"] is True
            assert SERVICES[name]["user"] == f"{owner}:{owner}"
        assert len({name.removeprefix("demo-") for name, _ in readers}) == 1
    vault = [name for name in SERVICES for mount in _mounts(name) if mount["source"] == "vault"]
    assert set(vault) == {"keys", "demo-keys"}


def test_the_broker_s_clients_do_not_reach_the_database() -> None:
    on = {name: set(service.get("networks", [])) for name, service in SERVICES.items()}
    assert on["broker"] == on["demo"] == {"messages"}
    assert on["database"] == {"storage"}
    assert {name for name, networks in on.items() if len(networks) > 1} == {"pipeline"}


def test_only_what_is_needed_goes_to_the_builder() -> None:
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    dockerfile = (ROOT / "config/docker/Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    assert {word for words in copied for word in words.split()} == allowed


@pytest.mark.parametrize("profile", [[], ["--profile", "demo"]], ids=["default", "demo"])
def test_compose_accepts_it(profile: list[str]) -> None:
    version = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, text=True, check=False
    )
    if not version or version.returncode:
        pytest.skip("needs the docker command with its compose plugin")
    done = subprocess.run(
        ["docker", "compose", *profile, "config", "--quiet"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
