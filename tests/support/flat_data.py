"""The recorded robot run in a flat, as adverts of one beacon and a site file with its survey.

Data: Kolakowski, "BLE RSS fingerprints calib 2021", CC BY 4.0; read from beside the checkout.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.registry.site_file import SiteFile, parse_site

FOLDER = Path(__file__).parents[3] / "shared" / "positioning" / "flat"
TAG_HEIGHT_M = 1.3
BEACON = "0215f7826da64fa24e988024bc5b71e0893e00010001c5"
TAG = "ibeacon:f7826da6-4fa2-4e98-8024-bc5b71e0893e/1/1"
Floats = NDArray[np.float64]


@dataclass
class Rows:
    """Rows of a file: us since 1970; (N, 2) metres; (N, 6) RSSI in dBm, NaN unheard."""

    ts_us: NDArray[np.int64]
    xy: Floats
    rssi_dbm: Floats


def require_data() -> None:
    if not FOLDER.is_dir():
        pytest.skip("the recorded data are not beside this checkout")


def read_rows(name: str) -> Rows:
    with (FOLDER / name).open() as file:
        rows = list(csv.DictReader(file))

    def column(key: str) -> Floats:
        return np.array([float(row[key] or "nan") for row in rows])

    return Rows(
        (column("ts") / 1e3).round().astype(np.int64),
        np.stack([column("x"), column("y")], axis=1),
        np.stack([column(f"rssi_{i}") for i in range(1, 7)], axis=1),
    )


def receivers_m() -> Floats:
    """(6, 3) positions."""
    with (FOLDER / "anchors.csv").open() as file:
        return np.array([[float(row[k]) for k in "xyz"] for row in csv.DictReader(file)])


def outline_m() -> Floats:
    with (FOLDER / "layout.csv").open() as file:
        return np.array([[float(row["x"]), float(row["y"])] for row in csv.DictReader(file)])


def survey() -> list[dict[str, float]]:
    """P0, exponent and sigma of each receiver by least squares on the survey rows only."""
    rows, places = read_rows("calibration_df.csv"), receivers_m()
    fits = []
    for i, place in enumerate(places):
        heard = np.isfinite(rows.rssi_dbm[:, i])
        offset = np.column_stack([rows.xy, np.full(len(rows.xy), TAG_HEIGHT_M)]) - place
        decades = np.log10(np.maximum(np.linalg.norm(offset, axis=1), 0.3))[heard]
        rssi = rows.rssi_dbm[heard, i]
        slope, _ = np.polyfit(-10 * decades, rssi, 1)
        n = float(np.clip(slope, 1.2, 6.0))
        p0 = float(np.mean(rssi + 10 * n * decades))
        sigma = float(np.std(rssi - p0 + 10 * n * decades))
        fits.append({"p0_dbm": p0, "path_loss_exponent": n, "sigma_db": sigma})
    return fits


def site() -> SiteFile:
    low, high = outline_m().min(axis=0), outline_m().max(axis=0)
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    receivers: list[dict[str, Any]] = [
        {"name": f"ble{i}", "floor": "ground", "x_m": x, "y_m": y, "height_m": z} | fit
        for i, ((x, y, z), fit) in enumerate(zip(receivers_m(), survey(), strict=True))
    ]
    return parse_site(
        {
            "organization": {"code": "test", "name": "Test"},
            "facility": {"code": "flat", "name": "Flat"},
            "buildings": [
                {
                    "code": "flat",
                    "name": "Flat",
                    "floors": [
                        {
                            "code": "ground",
                            "name": "Ground floor",
                            "level": 0,
                            "elevation_m": 0.0,
                            "rooms": [{"code": "flat", "name": "Flat", "polygon": corners}],
                        }
                    ],
                    "gateways": [{"code": "gw", "receivers": receivers}],
                }
            ],
            "assets": [
                {"tag_number": "ROBOT", "name": "Robot", "category": "OTHER", "tags": [TAG]}
            ],
        }
    )


def write_adverts(rows: Rows, path: Path) -> int:
    """The rows as the edge agent's replay format; returns the number of adverts."""
    adverts = 0
    with path.open("w") as file:
        for at_us, heard in zip(rows.ts_us.tolist(), rows.rssi_dbm, strict=True):
            for i in np.flatnonzero(np.isfinite(heard)):
                line = {
                    "at_us": at_us,
                    "adapter": f"ble{i}",
                    "address": "C4:7C:8D:00:00:01",
                    "address_type": "public",
                    "rssi_dbm": float(heard[i]),
                    "manufacturer_data": {"76": BEACON},
                }
                file.write(json.dumps(line) + "\n")
                adverts += 1
        file.write(json.dumps({"until_us": int(rows.ts_us[-1]) + 60_000_000}) + "\n")
    return adverts


def control_errors_m(rows: Rows) -> dict[str, Floats]:
    """Errors of the three controls, one a row with at least three receivers."""
    places = receivers_m()[:, :2]
    enough = np.isfinite(rows.rssi_dbm).sum(axis=1) >= 3
    rssi, truth = rows.rssi_dbm[enough], rows.xy[enough]
    fits = survey()
    p0 = np.array([fit["p0_dbm"] for fit in fits])
    n = np.array([fit["path_loss_exponent"] for fit in fits])
    weight = np.nan_to_num(10 ** ((rssi - p0) / (10 * n)))
    centroid = weight @ places / weight.sum(axis=1, keepdims=True)
    centre = (outline_m().min(axis=0) + outline_m().max(axis=0)) / 2
    found = {
        "room centre": np.broadcast_to(centre, truth.shape),
        "strongest receiver": places[np.nanargmax(rssi, axis=1)],
        "weighted centroid": centroid,
    }
    return {name: np.linalg.norm(xy - truth, axis=1) for name, xy in found.items()}
