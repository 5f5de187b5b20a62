"""What a program says about its health: the JSON of `/health`, `/ready` and `/live`.

{"status": "failing", "checks": [{"name": "sink", "good": false, "age_s": 41.5, "limit_s": 30.0,
 "detail": "results are not in the database", "advice": "look at the database"}]}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Check:
    """One thing that is looked at. Seconds: `age_s` is how long it has been as it should not be,
    0 when all is well; it fails above `limit_s`. `advice`: what to do when it fails."""

    name: str
    age_s: float
    limit_s: float
    detail: str
    advice: str

    @property
    def good(self) -> bool:
        return self.age_s <= self.limit_s


@dataclass(frozen=True)
class Health:
    """Good when every check is."""

    checks: Sequence[Check]

    @property
    def good(self) -> bool:
        return all(check.good for check in self.checks)

    def encode(self) -> bytes:
        """As JSON. Advice is for those who need it: it is left out where the check is good."""
        checks = []
        for check in self.checks:
            told = asdict(check) | {"good": check.good, "age_s": round(check.age_s, 1)}
            if check.good:
                del told["advice"]
            checks.append(told)
        status = "good" if self.good else "failing"
        return json.dumps({"status": status, "checks": checks}, ensure_ascii=False).encode() + b"\n"
