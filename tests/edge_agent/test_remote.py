"""Remote configuration: checked, laid over the file, kept, refused as a whole."""

import json
from pathlib import Path

import pytest

from edge_agent.remote import RemoteConfig
from edge_agent.settings import load

SERIAL = '[[readers]]\nname = "door"\nkind = "serial"\nprotocol = "m100"\nport = "/dev/null"\n'
CARDS = '[[readers]]\nname = "cards"\nkind = "serial"\nprotocol = "rdm6300"\nport = "/dev/null"\n'
BLE = '[[readers]]\nname = "ward"\nkind = "ble"\n'


def message(revision=1, gateway="g1", **changes):
    return json.dumps({"gateway": gateway, "revision": revision, **changes}).encode()


@pytest.fixture
def own(write_settings, tmp_path):
    (tmp_path / "spool").mkdir()
    return load(write_settings(SERIAL + CARDS + BLE, extra='allow = ["epc:*"]'))


@pytest.fixture
def remote(own):
    remote = RemoteConfig(own)
    remote.load()
    return remote


def test_nothing_was_ever_sent(remote, own):
    assert remote.report is None and remote.settings == own


def test_it_is_laid_over_the_file(remote, own):
    assert remote.offer(
        message(
            7, allow=["ibeacon:*"], merge_window_s=0.5, min_rssi_dbm=-90, power_dbm={"door": 20}
        )
    )
    now = remote.settings
    assert (now.allow, now.merge_window_s, now.min_rssi_dbm) == (["ibeacon:*"], 0.5, -90)
    assert now.readers[0].power_dbm == 20 and now.readers[1:] == own.readers[1:]
    assert remote.report.revision == 7 and remote.report.problem is None
    assert len(remote.report.digest) == 16
    # All null: back to the file.
    assert remote.offer(message(8)) and remote.settings == own
    assert remote.report.revision == 8


BAD = [
    ({"allow": ["*"]}, "allow"),
    ({"merge_window_s": 0.01}, "merge_window_s"),
    ({"merge_window_s": 1e9}, "merge_window_s"),
    ({"min_rssi_dbm": 5}, "min_rssi_dbm"),
    ({"power_dbm": {"door": 99}}, "power_dbm"),
    (
        {"power_dbm": {"ward": 10}},
        "power_dbm.ward: no reader of adjustable power; there: cards, door",
    ),
    ({"power_dbm": {"cards": 10}}, "power_dbm.cards: cannot be set with rdm6300"),
    ({"power_dbm": {"door": 31}}, "power_dbm.door: m100 takes 0 to 30"),
    ({"power_dbm": {"cellar": 10}}, "power_dbm.cellar: no reader"),
    ({"colour": 1}, "colour"),
    ({"gateway": "g2"}, "gateway: it is for g2"),
    ({"revision": 0}, "revision"),
    ({"schema_version": 2}, "version"),
]


@pytest.mark.parametrize("changes, said", BAD)
def test_a_bad_one_is_refused_as_a_whole_and_the_one_before_stays(remote, changes, said):
    remote.offer(message(3, allow=["nfc:*"]))
    before, kept = remote.settings, Path(remote._path).read_bytes()
    assert not remote.offer(message(**{"revision": 4, "allow": ["epc:1"], **changes}))
    assert remote.settings is before and remote.report.revision == 3
    assert remote.report.problem.startswith("refused: ") and said in remote.report.problem
    assert "\n" not in remote.report.problem
    assert Path(remote._path).read_bytes() == kept
    assert remote.offer(message(5, allow=["epc:2"])) and remote.report.problem is None


@pytest.mark.parametrize("payload", [b"{", b"\xff\x00", b"[]", b"7", b'{"gateway": "g1"}'])
def test_what_is_no_configuration(remote, own, payload):
    assert not remote.offer(payload)
    assert remote.settings == own and remote.report.revision is None and remote.report.problem


def test_an_empty_payload_says_nothing(remote):
    remote.offer(message(3, allow=["nfc:*"]))
    assert not remote.offer(b"")
    assert remote.report.revision == 3 and remote.settings.allow == ["nfc:*"]


def test_it_outlasts_a_restart(remote, own):
    remote.offer(message(3, allow=["nfc:*"]))
    again = RemoteConfig(own)
    again.load()
    assert again.settings == remote.settings and again.report == remote.report
    assert not again.offer(message(3, allow=["nfc:*"]))  # retained: it comes at each connection


def test_what_was_kept_may_not_fit_any_more(remote, write_settings):
    remote.offer(message(3, power_dbm={"door": 20}))
    other = RemoteConfig(load(write_settings(BLE)))
    other.load()
    assert other.settings == other._own
    assert "power_dbm.door" in other.report.problem and other.report.revision is None


def test_a_damaged_file_is_reported_and_replaced(remote, own):
    remote.offer(message(3, allow=["nfc:*"]))
    remote._path.write_bytes(b"\0\0\0")
    again = RemoteConfig(own)
    again.load()
    assert again.settings == own and again.report.problem
    assert again.offer(message(3, allow=["nfc:*"])) and again.report.problem is None


def test_a_disk_that_cannot_be_written_is_said_and_tried_again(remote, own, tmp_path):
    spool = tmp_path / "spool"
    spool.rmdir()
    spool.write_text("a file where the folder should be")
    assert remote.offer(message(3, allow=["nfc:*"]))
    assert remote.settings.allow == ["nfc:*"]
    assert "will not outlast a restart" in remote.report.problem
    spool.unlink()
    spool.mkdir()
    assert not remote.offer(message(3, allow=["nfc:*"]))
    assert remote.report.problem is None and remote._path.exists()
