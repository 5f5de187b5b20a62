"""Runs in processes of their own, so that memory and CPU time are theirs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SUPPORT, ROOT = Path(__file__).parents[1], Path(__file__).parents[3]
ENVIRONMENT = {"PYTHONPATH": f"{SUPPORT}{os.pathsep}{ROOT}"}


def ask(module: str, told: dict[str, Any]) -> dict[str, Any]:
    """`python -m module JSON`; the JSON that it prints last. Raises CalledProcessError."""
    return ask_all(module, [told])[0]


def ask_all(module: str, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same of several processes at once."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(each)],
            env=os.environ | ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for each in told
    ]
    said = [child.communicate()[0] for child in children]
    for child in children:
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, child.args)
    return [dict(json.loads(each.splitlines()[-1])) for each in said]
