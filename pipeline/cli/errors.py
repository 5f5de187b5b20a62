"""Errors of the command line.

CliError    a wrong argument, setting or environment; the command prints it and exits with 2
"""

from __future__ import annotations


class CliError(Exception):
    """What the user has to change, in one line or a few."""
