"""`biotrakr calibrate`: from CSV files to values in force, every version kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.database.connect import connect
from pipeline.registry import offline
from pipeline.registry.load import load_site
from pipeline.registry.site_file import parse_site

PLACES_M = ((1.0, 1.0), (9.0, 1.0), (17.0, 1.0), (1.0, 8.0), (9.0, 8.0), (17.0, 8.0))


def site_data() -> dict:
    """A hall with six receivers whose site file says the usual P0 and exponent."""
    return {
        "organization": {"code": "calib", "name": "Calibration"},
        "facility": {"code": "hall", "name": "Hall"},
        "buildings": [
            {
                "code": "main",
                "name": "Main",
                "floors": [
                    {"code": "g", "name": "Ground", "level": 0, "elevation_m": 0.0, "rooms": []}
                ],
                "gateways": [
                    {
                        "code": "gw",
                        "receivers": [
                            {"name": f"ble{i}", "floor": "g", "x_m": x, "y_m": y, "height_m": 2.5}
                            for i, (x, y) in enumerate(PLACES_M)
                        ],
                    }
                ],
            }
        ],
    }


def write(path: Path, heading: str, rows: list[tuple]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heading.split(","))
        writer.writerows(rows)
    return path


def heard_dbm(rng: np.random.Generator, away_m: float) -> float:
    """What is true here: P0 -66 dBm, exponent 2.9."""
    return round(-66 - 29 * np.log10(away_m) + rng.normal(0, 3), 1)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(6)
    (tmp_path / "site.json").write_text(json.dumps(site_data()))
    receivers = offline.buildings(parse_site(site_data()))[0].receivers
    survey, between, tags, reference = [], [], [], []
    spots = rng.uniform([0, 0], [18, 9], (40, 2))
    for k, (x, y) in enumerate(spots):
        tags.append((f"ref-{k}", x, y, 1.0))
        for i, at in enumerate(receivers.position_m):
            away = np.linalg.norm(at - [x, y, 1.0])
            for _ in range(3):
                survey.append((k, x, y, 1.0, f"gw/ble{i}", heard_dbm(rng, away)))
                reference.append((k, f"ref-{k}", f"ble{i}", heard_dbm(rng, away)))
    for i, a in enumerate(receivers.position_m):
        for j, b in enumerate(receivers.position_m):
            if i != j:
                rssi = heard_dbm(rng, np.linalg.norm(a - b))
                between += [(0, f"gw/ble{i}", f"gw/ble{j}", rssi)] * 8
    return {
        "site": tmp_path / "site.json",
        "survey": write(tmp_path / "survey.csv", "t,x,y,z,receiver,rssi_dbm", survey),
        "tags": write(tmp_path / "tags.csv", "tag,x,y,z", tags),
        "reads": write(tmp_path / "reads.csv", "t,tag,receiver,rssi_dbm", reference),
        "between": write(tmp_path / "between.csv", "t,tag,receiver,rssi_dbm", between),
    }


def run(files: dict[str, Path], *arguments: str) -> int:
    return main(["calibrate", "--site", str(files["site"]), *arguments])


def test_a_survey_is_accepted_and_says_what_it_found(files, capsys):
    assert run(files, "--survey", str(files["survey"])) == 0
    said = capsys.readouterr().out
    assert "gw/ble5" in said
    assert ": accepted, better on held-out places" in said


def test_reference_tags(files, capsys):
    tags, reads = str(files["tags"]), str(files["reads"])
    assert run(files, "--reference-tags", tags, "--reads", reads) == 0
    assert "accepted" in capsys.readouterr().out


def test_six_senders_are_too_few_places_to_test_it(files, capsys):
    assert run(files, "--receivers-hear-each-other", "--reads", str(files["between"])) == 1
    assert "not accepted, only 6 places; 10 are needed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--survey", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["--receivers-hear-each-other"], "--reads FILE is needed"),
        (["--survey", "SURVEY", "--building", "east"], "--building must be one of: main"),
    ],
)
def test_mistakes_are_one_line(files, capsys, arguments, problem):
    arguments = [str(files["survey"]) if a == "SURVEY" else a for a in arguments]
    assert run(files, *arguments) == 2
    said = capsys.readouterr().err
    assert problem in said
    assert said.count("\n") == 1


def test_a_receiver_the_site_does_not_have(files, capsys, tmp_path):
    rows = [(0, 1.0, 1.0, 1.0, "gw/ble9", -60)]
    stray = write(tmp_path / "stray.csv", "t,x,y,z,receiver,rssi_dbm", rows)
    assert run(files, "--survey", str(stray)) == 2
    assert "stray.csv:2: the site has no receiver 'gw/ble9'" in capsys.readouterr().err


def test_an_accepted_one_takes_effect_and_the_old_values_are_kept(files, url):
    """The second, from the same survey, is no better than the first: kept, but not in force."""
    with connect(url) as conn:
        load_site(conn, parse_site(site_data()))
    applied = ("--survey", str(files["survey"]), "--apply", "--database-url", url)
    assert run(files, *applied) == 0
    assert run(files, *applied) == 1
    with connect(url) as conn:
        organization = conn.execute(
            "select id from registry.organization where code = 'calib'"
        ).fetchone()
        conn.execute("select set_config('app.org_id', %s, false)", (str(organization[0]),))
        conn.execute("set role biotrakr_app")
        rows = conn.execute(
            """select version, accepted, previous_p0_dbm, p0_dbm, on_bound
            from reporting.receiver_calibration where receiver_name = 'ble2' order by version"""
        ).fetchall()
        conn.execute("select set_config('app.org_id', %s, false)", (str(UUID(int=7)),))
        foreign = conn.execute("select count(*) from reporting.receiver_calibration").fetchone()
        conn.execute("reset role")
        now = conn.execute(
            """select p0_dbm, path_loss_exponent from registry.receiver
            where name = 'ble2' and organization_id = %s""",
            (organization[0],),
        ).fetchone()
    assert [row[:2] for row in rows] == [(1, True), (2, False)]
    assert rows[0][2] == -59.0
    assert rows[1][2] == rows[0][3] == now[0]
    assert now[0] - 9 * now[1] == pytest.approx(-66 - 9 * 2.9, abs=2)
    assert foreign == (0,)
