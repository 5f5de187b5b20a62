"""Errors of the seed: SeedError, what stands in the way of filling a database."""

from __future__ import annotations


class SeedError(Exception):
    """The message says what to do; nothing was written."""
