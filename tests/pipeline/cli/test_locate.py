"""`biotrakr locate` and `evaluate` on files, good and bad."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import rf_rooms

from pipeline.cli.main import main

RECEIVERS = "receiver,x,y,z\nr0,0,0,2.5\nr1,8,0,\nr2,8,6,2.5\nr3,0,6,2.5\n"
Rows = list[dict[str, str]]


def run(folder: Path, *more: str) -> int:
    return main(
        ["locate", "--receivers", str(folder / "R.csv"), "--reads", str(folder / "D.csv"),
         "--out", str(folder / "O.csv"), *more]
    )  # fmt: skip


def rows_of(folder: Path) -> Rows:
    with (folder / "O.csv").open() as file:
        return list(csv.DictReader(file))


def files(folder: Path, reads: str, receivers: str = RECEIVERS) -> Path:
    (folder / "R.csv").write_text(receivers)
    (folder / "D.csv").write_text("t,tag,receiver,rssi_dbm\n" + reads)
    return folder


def reads(times: list[str], tag: str = "a") -> str:
    return "".join(f"{t},{tag},r{i},{-55 - 5 * i}\n" for t in times for i in range(4))


def error_m(rows: Rows, truth: Path) -> np.ndarray:
    with truth.open() as file:
        where = {row["t"]: (float(row["x"]), float(row["y"])) for row in csv.DictReader(file)}
    gaps = [np.subtract((float(r["x"]), float(r["y"])), where[r["t"]]) for r in rows]
    return np.linalg.norm(gaps, axis=1)


def test_a_walk_is_followed_without_a_survey_and_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = rf_rooms.draw(3, windows=60, survey=1)
    rf_rooms.write(room, tmp_path, survey=False)
    assert run(tmp_path) == 0
    rows = rows_of(tmp_path)
    assert len(rows) > 50 and {row["method"] for row in rows} == {"belief"}
    assert np.median(error_m(rows, tmp_path / "T.csv")) < 0.35 * room.size_m.max()
    capsys.readouterr()
    picture = tmp_path / "p.svg"
    code = main(
        ["evaluate", "--positions", str(tmp_path / "O.csv"), "--truth", str(tmp_path / "T.csv"),
         "--receivers", str(tmp_path / "R.csv"), "--reads", str(tmp_path / "D.csv"), "--json",
         "--picture", str(picture)]
    )  # fmt: skip
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    ours, *controls = told["scores"]
    assert ours["median_m"] == pytest.approx(np.median(error_m(rows, tmp_path / "T.csv")), abs=1e-3)
    assert {c["name"] for c in controls} >= {"room centre", "least squares in dB"}
    assert told["cramer_rao_m"] > 0
    assert picture.read_text().count("<polyline") > 50


def test_a_row_uses_nothing_that_came_after_it(tmp_path: Path) -> None:
    room = rf_rooms.draw(4, windows=40, survey=1)
    rf_rooms.write(room, tmp_path, survey=False)
    assert run(tmp_path) == 0
    whole = rows_of(tmp_path)
    lines = (tmp_path / "D.csv").read_text().splitlines(keepends=True)
    early = [line for line in lines[1:] if float(line.split(",")[0]) < 25]
    (tmp_path / "D.csv").write_text("".join([lines[0], *early]))
    assert run(tmp_path) == 0
    part = rows_of(tmp_path)
    assert part == whole[: len(part)] and len(part) == 25


def test_rooms_come_from_a_plan(tmp_path: Path) -> None:
    files(tmp_path, reads([str(t) for t in range(8)]))
    (tmp_path / "P.csv").write_text(
        "room,x,y\nwest,-1,-1\nwest,4,-1\nwest,4,7\nwest,-1,7\n"
        "east,4,-1\neast,9,-1\neast,9,7\neast,4,7\n"
    )
    assert run(tmp_path, "--floorplan", str(tmp_path / "P.csv")) == 0
    assert {row["room"] for row in rows_of(tmp_path)} == {"west"}


@pytest.mark.parametrize(
    "times",
    [
        ["1", "2.5"], ["1700000000123", "1700000004123"], ["1.7e18", "1700000003000000000"],
        ["2024-05-01T10:00:00Z", "2024-05-01T10:00:02.5Z"],
        ["2024-05-01 10:00:00", "2024-05-01 12:00:02+02:00"],
    ],
)  # fmt: skip
def test_times_of_every_kind_come_back_as_they_were(tmp_path: Path, times: list[str]) -> None:
    assert run(files(tmp_path, reads(times))) == 0
    assert [row["t"] for row in rows_of(tmp_path)] == times


def test_what_cannot_be_used_is_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "\n,,,\n9,a,elsewhere,-50\n10,a,r1,nan\n11,,r1,-50\n,a,r1,-50\n12,a,r1,100\n"
    assert run(files(tmp_path, reads(["1"]) + odd)) == 0
    told = capsys.readouterr().err
    for part in ("1 reads without a tag", "1 reads without a time", "2 reads without a usable RSSI",
                 "1 reads from receivers"):  # fmt: skip
        assert part in told
    rows = rows_of(tmp_path)
    assert [row["method"] for row in rows] == ["belief", "none"]
    assert rows[1]["x"] == "" and "no known receiver" in rows[1]["reason"]


@pytest.mark.parametrize(
    ("receivers", "data", "words"),
    [
        (RECEIVERS, "1,a,r0,loud\n", "D.csv:2: rssi_dbm: 'loud' is not a number"),
        (RECEIVERS, "1,a,r0,-50\nsoon,a,r0,-50\n", "D.csv:3: t: 'soon' is not a number"),
        (RECEIVERS, "", "D.csv: has no usable read"),
        (RECEIVERS, "1,a,x9,-50\n", "names no receiver"),
        (RECEIVERS + "r0,1,1,1\n", "1,a,r0,-50\n", "R.csv:6: receiver r0 is listed twice"),
        ("receiver,x,y\nr0,,1\n", "1,a,r0,-50\n", "R.csv:2: receiver r0 has no x or no y"),
        ("receiver,x\nr0,1\n", "1,a,r0,-50\n", "R.csv:1: has no column y"),
        ("", "1,a,r0,-50\n", "R.csv:1: is empty"),
        ("receiver,x,y\nr0,1e9,1\n", "1,a,r0,-50\n", "R.csv:2: a place is more than"),
    ],
)
def test_a_bad_file_gets_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], receivers: str, data: str, words: str
) -> None:
    assert run(files(tmp_path, data, receivers)) == 2
    told = capsys.readouterr().err.strip()
    assert words in told and "\n" not in told


def test_the_order_of_rows_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    assert run(files(tmp_path, reads(["1", "2", "3"]))) == 0
    straight = rows_of(tmp_path)
    lines = reads(["1", "2", "3"]).splitlines()[::-1]
    turned = [",".join(["note", *line.split(",")[::-1]]) for line in lines]
    (tmp_path / "D.csv").write_text(
        "\n".join(["Other;RSSI_dBm;receiver;TAG;t".replace(";", ","), *turned])
    )
    assert run(tmp_path) == 0
    assert rows_of(tmp_path) == straight


def test_evaluate_says_when_nothing_matches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(files(tmp_path, reads(["1"]))) == 0
    (tmp_path / "T.csv").write_text("t,tag,x,y\n1,b,0,0\n")
    capsys.readouterr()
    told = main(
        ["evaluate", "--positions", str(tmp_path / "O.csv"), "--truth", str(tmp_path / "T.csv")]
    )
    assert told == 2
    assert "no tag and time in common" in capsys.readouterr().err
