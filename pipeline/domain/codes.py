"""Small integer codes that rows carry; the database holds the same tables with their texts."""

from __future__ import annotations

from enum import IntEnum


class Method(IntEnum):
    """How a position was found."""

    UNKNOWN = 0
    SOLVE = 1
    HELD = 2
    CENTROID = 3
    PORTAL = 4
    SCAN = 5
    GPS = 6


class Reason(IntEnum):
    """Why a position row was written."""

    NONE = 0
    FIRST_SIGHT = 1
    STILL_EXPLAINED = 2
    MOVED = 3
    PORTAL_READ = 4
    FEW_RECEIVERS = 5
    ON_BOUND = 6
    FLOOR_CHANGED = 7
    ROOM_CHANGED = 8
