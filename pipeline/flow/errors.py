"""Errors of the flow.

FlowError
├── SnapshotError    recovery state that this version cannot read; says what to do
└── CheckpointError  a kept state that history cannot be computed from
"""

from __future__ import annotations


class FlowError(RuntimeError):
    """The dataflow cannot go on."""


class SnapshotError(FlowError):
    def __init__(self, found: object, expected: int) -> None:
        super().__init__(
            f"the recovery store holds state of version {found!r}, this program reads version "
            f"{expected}. Run the program that wrote it until its gateways are drained, or start "
            "with an empty recovery directory: gateways send again what was not acknowledged."
        )
        self.found = found


class CheckpointError(FlowError):
    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the checkpoint cannot be used: {problem}. Start from an earlier one, or leave the "
            "range as it is"
        )
