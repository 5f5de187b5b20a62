"""config/kubernetes: valid for the API server, hardened, and every command line is one of ours."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pipeline.cli import health
from pipeline.cli.main import COMMANDS
from pipeline.cli.observe import exporter_of
from pipeline.cli.settings import PipelineSettings, load_settings
from pipeline.registry.sharding import Shard

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "config/kubernetes"
FILES = sorted(p for p in FOLDER.rglob("*.yaml") if p.name != "kustomization.yaml")
OBJECTS: list[dict[str, Any]] = [
    o for f in FILES if ".patch." not in f.name for o in yaml.safe_load_all(f.read_text())
]
PATCH: dict[str, Any] = yaml.safe_load((FOLDER / "log/pipeline.patch.yaml").read_text())
WORKLOADS = {o["metadata"]["name"]: o for o in OBJECTS if "template" in o.get("spec", {})}
VERSIONS = ("1.28", "1.31", kubernetes_validate.latest_version())

each_workload = pytest.mark.parametrize("name", sorted(WORKLOADS))


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = (o for o in OBJECTS if (o["kind"], o["metadata"]["name"]) == (kind, name))
    return found


def pod(name: str) -> dict[str, Any]:
    return WORKLOADS[name]["spec"]["template"]["spec"]


def container(name: str) -> dict[str, Any]:
    (only,) = pod(name)["containers"]
    return only


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("thing", [*OBJECTS, PATCH], ids=lambda o: o["kind"])
def test_the_schema_of_kubernetes(thing: dict[str, Any], version: str) -> None:
    if thing is PATCH:  # a part of an object lacks what the whole one must have
        whole = WORKLOADS["biotrakr-pipeline"]["spec"]
        spec = whole | {"template": {"metadata": {}, **thing["spec"]["template"]}}
        thing = thing | {"spec": spec}
    kubernetes_validate.validate(thing, version, strict=True)


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("kustomization.yaml")), ids=str)
def test_kustomize_finds_every_file(file: Path) -> None:
    content = yaml.safe_load(file.read_text())
    listed = [*content["resources"], *(p["path"] for p in content.get("patches", []))]
    assert all((file.parent / name).exists() for name in listed)
    own = {f.name for f in file.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert own == set(listed) - {".."}


def test_the_patch_is_of_a_container_that_is_there() -> None:
    names = [c["name"] for c in PATCH["spec"]["template"]["spec"]["containers"]]
    assert names == [container("biotrakr-pipeline")["name"]]


@each_workload
def test_hardening(name: str) -> None:
    spec, only = pod(name), container(name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["limits"]["memory"] and only["resources"]["requests"]["cpu"]


@each_workload
def test_the_user_and_the_image_are_those_of_the_dockerfile(name: str) -> None:
    text = (ROOT / "config/docker/Dockerfile").read_text()
    user = re.search(r"^USER (\d+):(\d+)$", text, re.MULTILINE)
    assert user is not None
    context = pod(name)["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == tuple(map(int, user.groups()))
    assert container(name)["image"] in text


@each_workload
def test_no_secret_and_every_file_is_mounted(name: str) -> None:
    only = container(name)
    mounts = {m["mountPath"]: m["name"] for m in only["volumeMounts"]}
    volumes = {v["name"] for v in pod(name).get("volumes", [])}
    claims = WORKLOADS[name]["spec"].get("volumeClaimTemplates", [])
    assert set(mounts.values()) <= volumes | {c["metadata"]["name"] for c in claims}
    for variable in only["env"]:
        value = variable.get("value", "")
        assert "@" not in value and "password" not in value.lower()
        if variable["name"].endswith("_FILE"):
            assert str(Path(value).parent) in mounts
    assert not [o for o in OBJECTS if o["kind"] == "Secret"]


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--log-level")
    commands = parser.add_subparsers(required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser.parse_args(words)


@each_workload
def test_every_command_line_is_one_of_ours(name: str) -> None:
    known = {"POD_INDEX": "2"}
    assert set(known) >= set(re.findall(r"\$\((\w+)\)", " ".join(container(name)["args"])))
    words = [re.sub(r"\$\((\w+)\)", lambda m: known[m[1]], w) for w in container(name)["args"]]
    options = parse(words)
    if name == "biotrakr-pipeline":
        assert Shard.parse(options.shard) == Shard(2, WORKLOADS[name]["spec"]["replicas"])


def test_every_probe_can_be_answered() -> None:
    pages = exporter_of(PipelineSettings()).pages()
    for name in WORKLOADS:
        only = container(name)
        ports = {p["name"]: p["containerPort"] for p in only.get("ports", [])}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = only.get(kind, {})
            if "httpGet" in probe:
                assert probe["httpGet"]["path"] in pages
                assert probe["httpGet"]["port"] in ports
            if "exec" in probe:
                python, m, module, *words = probe["exec"]["command"]
                assert (python, m, module) == ("python", "-m", health.__name__)
                assert parse(["health", *words]).port == 8883
    pipeline = container("biotrakr-pipeline")
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(pipeline)


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DATABASE_URL", "MQTT_URL", "KAFKA_BROKERS", "KAFKA_OPTIONS"):
        monkeypatch.delenv(f"BIOTRAKR_{variable}", raising=False)
    (name, text), = named("ConfigMap", "biotrakr-pipeline")["data"].items()  # fmt: skip
    only = container("biotrakr-pipeline")
    mounts = {m["mountPath"] for m in only["volumeMounts"]}
    assert f"--config=/etc/biotrakr/{name}" in only["args"] and "/etc/biotrakr" in mounts
    (tmp_path / name).write_text(text)
    settings = load_settings(tmp_path / name, {})
    assert str(settings.recovery_directory.parent) in mounts
    assert settings.metrics_address == f"0.0.0.0:{only['ports'][0]['containerPort']}"
    assert str(settings.mqtt_ca_file).startswith("/run/secrets/biotrakr/")


def test_what_selects_selects_the_shards() -> None:
    shards = WORKLOADS["biotrakr-pipeline"]["spec"]
    labels = shards["template"]["metadata"]["labels"]
    service = named("Service", shards["serviceName"])["spec"]
    budget = named("PodDisruptionBudget", "biotrakr-pipeline")["spec"]
    for selector in (
        shards["selector"]["matchLabels"],
        service["selector"],
        budget["selector"]["matchLabels"],
    ):
        assert selector == labels
    (policy,) = (o["spec"] for o in OBJECTS if o["kind"] == "NetworkPolicy")
    everyone = policy["podSelector"]["matchLabels"].items()
    for workload in WORKLOADS.values():
        assert everyone <= workload["spec"]["template"]["metadata"]["labels"].items()
    (inward,) = policy["ingress"]
    assert [p["port"] for p in inward["ports"]] == [service["ports"][0]["port"]]
