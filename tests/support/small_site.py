"""Two rooms, one gateway with two receivers, one pump that must not enter the second room."""

from __future__ import annotations

from typing import Any

from pipeline.registry.site_file import parse_site

SITE_DATA: dict[str, Any] = {
    "organization": {"code": "acme", "name": "Acme Health"},
    "facility": {"code": "north", "name": "North"},
    "buildings": [
        {
            "code": "main",
            "name": "Main building",
            "floors": [
                {
                    "code": "ground",
                    "name": "Ground floor",
                    "level": 0,
                    "elevation_m": 0.0,
                    "rooms": [
                        {
                            "code": "ward",
                            "name": "Ward",
                            "kind": "patient",
                            "polygon": [[0, 0], [8, 0], [8, 6], [0, 6]],
                        },
                        {
                            "code": "vault",
                            "name": "Vault",
                            "restricted": True,
                            "polygon": [[8, 0], [16, 0], [16, 6], [8, 6]],
                        },
                    ],
                }
            ],
            "gateways": [
                {
                    "code": "gw",
                    "receivers": [
                        {"name": "ble0", "floor": "ground", "x_m": 1, "y_m": 3, "height_m": 2.5},
                        {"name": "ble1", "floor": "ground", "x_m": 15, "y_m": 3, "height_m": 2.5},
                        {
                            "name": "door/1",
                            "kind": "rfid",
                            "floor": "ground",
                            "x_m": 8.5,
                            "y_m": 3,
                            "height_m": 2,
                            "room": "vault",
                        },
                    ],
                },
            ],
            "zones": [{"code": "vault", "name": "Vault", "room": "vault"}],
        }
    ],
    "assets": [
        {
            "tag_number": "P-1",
            "name": "Infusion pump",
            "category": "THERAPEUTIC",
            "tags": ["ble:a4c138000001", "epc:e2000001"],
        }
    ],
    "rules": [{"code": "no-pumps", "zone": "vault", "severity": "CRITICAL"}],
}
SITE = parse_site(SITE_DATA)
