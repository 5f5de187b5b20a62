"""Runs in processes of their own, so that memory and CPU time are theirs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SUPPORT, ROOT = Path(__file__).parents[1], Path(__file__).parents[3]
ENVIRONMENT = {"PYTHONPATH": f"{SUPPORT}{os.pathsep}{ROOT}"}


def ask(module: str, told: dict[str, Any]) -> dict[str, Any]:
    """`python -m module JSON`; the JSON that it prints last. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(told)],
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))
