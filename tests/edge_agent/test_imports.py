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
