"""The stays that are open in a building's state: what a later window will end, by its id."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import numpy as np

from pipeline.domain.fences import Phase, visit_id
from pipeline.domain.floorplan import NOWHERE, Building
from pipeline.domain.splice import Stay
from pipeline.domain.tracking import BuildingState
from pipeline.domain.utilization import STATES, session_id


def open_rooms(building: Building, state: BuildingState) -> Iterator[Stay]:
    """Room visits; track: (asset,), place: (room,)."""
    tracks = state.tracks
    for a in np.flatnonzero(tracks.room != NOWHERE).tolist():
        asset, room = building.assets[a].id, building.rooms[int(tracks.room[a])].id
        entered_us = int(tracks.room_entered_us[a])
        yield Stay(visit_id(asset, room, entered_us), (asset,), (room,), entered_us, None)


def open_zones(building: Building, state: BuildingState) -> Iterator[Stay]:
    """Zone visits; track: (asset, zone), place: (zone,)."""
    fences = state.fences
    inside = (fences.phase == Phase.INSIDE) | (fences.phase == Phase.LEAVING)
    for z, a in np.argwhere(inside).tolist():
        asset, zone = building.assets[a].id, building.zones[z].id
        entered_us = int(fences.entered_us[z, a])
        yield Stay(visit_id(asset, zone, entered_us), (asset, zone), (zone,), entered_us, None)


def open_sessions(building: Building, state: BuildingState) -> Iterator[Stay]:
    """Sessions; track: (asset,), place: (state of use, room)."""
    tracks = state.tracks
    for a in np.flatnonzero(tracks.use_state != NOWHERE).tolist():
        asset, use, room = building.assets[a].id, int(tracks.use_state[a]), int(tracks.use_room[a])
        began_us = int(tracks.use_since_us[a])
        where: UUID | None = None if room == NOWHERE else building.rooms[room].id
        place = (STATES[use], where)
        yield Stay(session_id(asset, use, began_us), (asset,), place, began_us, None)
