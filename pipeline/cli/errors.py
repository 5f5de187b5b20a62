"""Errors of the command line.

CliError      a wrong argument, setting or environment: exit status 2, nothing was started
RunFailed     something that was started ended by itself: exit status 1
"""

from __future__ import annotations


class CliError(Exception):
    """What the user has to change, in one line or a few."""


class RunFailed(Exception):
    """What ended, and its last words."""
