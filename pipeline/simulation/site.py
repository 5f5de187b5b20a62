"""The registry's view of the simulated hospital, as the data of a site file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.simulation.equipment import FORBIDDEN
from pipeline.simulation.layout import Space, WallLine
from pipeline.simulation.portals import PortalReader
from pipeline.simulation.scenario import HospitalPlan, Scenario

if TYPE_CHECKING:
    from pipeline.simulation.hospital import BleReceivers, Fleet

FENCE = {
    "entry_dwell_s": 5.0,
    "exit_tolerance_m": 1.5,
    "tolerance_timeout_s": 8.0,
    "exit_delay_s": 3.0,
    "timeout_s": 60.0,
}
SIGMA_DB = 5.0


def site_data(
    scenario: Scenario,
    spaces: tuple[Space, ...],
    walls: tuple[WallLine, ...],
    receivers: BleReceivers,
    readers: tuple[PortalReader, ...],
    fleet: Fleet,
) -> dict[str, Any]:
    """What an installer would have written; `parse_site` accepts it."""
    plan = scenario.hospital
    floors = [_floor(plan, floor, spaces, walls) for floor in range(plan.floors)]
    guarded = [space for space in spaces if space.code in FORBIDDEN]
    return {
        "schema_version": 1,
        "organization": {"code": "st-elmo", "name": "St Elmo Hospitals"},
        "facility": {"code": "general", "name": "St Elmo General", "time_zone": "UTC"},
        "buildings": [
            {
                "code": "main",
                "name": "Main building",
                "floors": floors,
                "gateways": _gateways(scenario, spaces, receivers, readers),
                "zones": [
                    {"code": f"zone-{s.code}", "name": s.name, "room": s.code, "fence": FENCE}
                    for s in guarded
                ],
            }
        ],
        "assets": [_asset(fleet, i) for i in range(len(fleet))],
        "rules": [
            {
                "code": f"forbidden-{space.code}",
                "severity": FORBIDDEN[space.code][1],
                "zone": f"zone-{space.code}",
                "categories": list(FORBIDDEN[space.code][2]),
            }
            for space in guarded
        ],
    }


def floor_code(floor: int) -> str:
    return f"floor-{floor + 1}"


def beacon_tag(beacon: tuple[str, int, int]) -> str:
    return "ibeacon:{}/{}/{}".format(*beacon)


def _floor(
    plan: HospitalPlan, floor: int, spaces: tuple[Space, ...], walls: tuple[WallLine, ...]
) -> dict[str, Any]:
    return {
        "code": floor_code(floor),
        "name": f"Floor {floor + 1}",
        "level": floor + 1,
        "elevation_m": floor * plan.storey_m,
        "height_m": plan.clear_height_m,
        "rooms": [_room(space) for space in spaces if space.floor == floor],
        "walls": [
            {"start": wall.start, "end": wall.end, "attenuation_db": wall.attenuation_db}
            for wall in walls
            if wall.floor == floor
        ],
    }


def _room(space: Space) -> dict[str, Any]:
    x0, y0, x1, y1 = space.box
    return {
        "code": space.code,
        "name": space.name,
        "kind": space.kind,
        "polygon": [(x0, y0), (x1, y0), (x1, y1), (x0, y1)],
        "restricted": space.restricted,
    }


def _gateways(
    scenario: Scenario,
    spaces: tuple[Space, ...],
    receivers: BleReceivers,
    readers: tuple[PortalReader, ...],
) -> list[dict[str, Any]]:
    plan = scenario.hospital
    found: dict[str, list[dict[str, Any]]] = {}
    for i, gateway in enumerate(receivers.gateways):
        x, y, z = receivers.position_m[i].tolist()
        floor = int(receivers.floor[i])
        found.setdefault(gateway, []).append({
            "name": receivers.names[i],
            "kind": "ble",
            "floor": floor_code(floor),
            "x_m": x,
            "y_m": y,
            "height_m": round(z - floor * plan.storey_m, 3),
            "p0_dbm": float(receivers.nominal_p0_dbm[i]),
            "path_loss_exponent": float(receivers.nominal_exponent[i]),
            "sigma_db": SIGMA_DB,
            "room": spaces[receivers.room[i]].code,
        })  # fmt: skip
    for reader in readers:
        for antenna in reader.antennas:
            found.setdefault(reader.gateway, []).append({
                "name": antenna.receiver,
                "kind": "rfid",
                "floor": floor_code(antenna.floor),
                "x_m": antenna.x_m,
                "y_m": antenna.y_m,
                "height_m": scenario.portals.antenna_height_m,
                "range_m": scenario.portals.range_m,
                "room": spaces[antenna.space].code,
            })  # fmt: skip
    return [{"code": code, "receivers": found[code]} for code in sorted(found)]


def _asset(fleet: Fleet, i: int) -> dict[str, Any]:
    kind = fleet.types[i]
    manufacturer, model = fleet.models[i]
    epc = fleet.epcs[i]
    return {
        "tag_number": fleet.tag_numbers[i],
        "name": f"{kind.name} {int(fleet.tag_numbers[i].rpartition('-')[2])}",
        "category": kind.category,
        "manufacturer": manufacturer,
        "model": model,
        "serial_number": fleet.serials[i],
        "tags": [beacon_tag(fleet.beacons[i]), *([f"epc:{epc}"] if epc else [])],
    }
