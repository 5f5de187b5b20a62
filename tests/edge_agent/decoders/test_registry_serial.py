"""What holds for every serial decoder and every host, whatever the protocol."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.decoders import fuzz
from edge_agent.decoders.readings import Reading
from edge_agent.decoders.registry_serial import PROTOCOLS, HostOptions

NAMES = list(PROTOCOLS)
HOSTS = [name for name in NAMES if PROTOCOLS[name].host]
LINES = {"wiegand_hex", "wiegand_decimal", "tsl", "scanner", "nmea", "line"}
FRAMED = [name for name in NAMES if name not in LINES]
UNCHECKED = {"caen", *LINES}
"""Formats without a checksum."""
HEADERS = {
    "r2000": "a0ff0189",
    "m100": "bb022200ff",
    "mercury": "fff82200000010",
    "uhfreader18": "ff00ee00",
    "uhfreader18_active": "ff00ee00",
    "uhfreader288": "ff000103",
    "uhfreader288_active": "ff00ee00",
    "chafon_cf": "cf000001ff00",
    "rcp": "bb02220100",
    "rdm6300": "023637303033",
    "ssi": "fff300001c",
    "feig": "0203ff00b000",
    "caen": "0001000500005358 0800",
    "cc_family": "ccffff2005ff",
}
"""The beginning of a frame that announces more than is ever sent."""


def cut(data, sizes):
    """`data` in chunks of the given sizes, again and again."""
    chunks, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        chunks.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return chunks


def decoded(name, chunks):
    decoder = PROTOCOLS[name].decoder()
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


SIZES = st.lists(st.integers(1, 11), min_size=1, max_size=5)


@pytest.mark.parametrize("name", NAMES)
def test_any_split_gives_the_same_frames(name):
    good = fuzz.GOOD[name]
    each = {frame: decoded(name, [frame]) for frame in good}

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.sampled_from(good), max_size=6), SIZES)
    def check(frames, sizes):
        want = [said for frame in frames for said in each[frame]]
        assert decoded(name, cut(b"".join(frames), sizes)) == want

    check()


@pytest.mark.parametrize("name", NAMES)
def test_noise_never_raises_and_after_a_pause_delays_nothing(name):
    good = fuzz.GOOD[name][0]
    want = decoded(name, [good])

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=300), SIZES)
    def check(noise, sizes):
        decoder = PROTOCOLS[name].decoder()
        for chunk in cut(noise, sizes):
            decoder.feed(chunk, 1.0)
        assert decoder.feed(good, 10.0)[-len(want) :] == want  # a pause may end a line of noise

    check()


@pytest.mark.parametrize("name", FRAMED)
def test_a_false_header_holds_nothing_back(name):
    header, good = bytes.fromhex(HEADERS[name]), fuzz.GOOD[name][0]
    want = decoded(name, [good])
    assert decoded(name, [header]) == []
    for stream in (header + good, header * 3 + good, good[:3] + good):
        assert decoded(name, [stream]) == want
        assert decoded(name, cut(stream, [1])) == want


@pytest.mark.parametrize("name", FRAMED)
def test_an_unfinished_frame_is_given_up_after_a_gap(name):
    good = fuzz.GOOD[name][0]
    decoder = PROTOCOLS[name].decoder()
    assert decoder.feed(good[:-2], 1.0) == []
    assert decoder.feed(good[-2:], 1.5) == []
    assert decoder.feed(good[:-2], 2.0) == []
    assert decoder.feed(good[-2:], 2.02) == decoded(name, [good])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNCHECKED])
def test_every_flipped_bit_is_refused(name):
    good = fuzz.GOOD[name][0]
    want = decoded(name, [good])
    for position in range(len(good) * 8):
        damaged = bytearray(good)
        damaged[position // 8] ^= 1 << position % 8
        frames = decoded(name, [bytes(damaged)])
        # In hex digits one bit is the case, which says the same.
        assert frames == [] or (name == "rdm6300" and frames == want), position


@pytest.mark.parametrize("name", NAMES)
def test_what_is_held_is_bounded(name):
    good = fuzz.GOOD[name][0]
    header = bytes.fromhex(HEADERS.get(name, "31"))
    for piece in (header * 50, good[:-1] * 50, b"\x00" * 500, b"\xff" * 500):
        decoder = PROTOCOLS[name].decoder()
        held = 0
        for _ in range(30):
            decoder.feed(piece)
        held = decoder.flush()
        assert held <= 8200, piece[:10].hex()
        assert decoder.flush() == 0


@pytest.mark.parametrize("name", [name for name in FRAMED if name not in ("r2000", "m100")])
def test_bytes_outside_frames_are_counted(name):
    good = fuzz.GOOD[name][0]
    decoder = PROTOCOLS[name].decoder()
    decoder.feed(good[:3] + good + good[:-1])
    decoder.flush()
    assert decoder.dropped_bytes == 3 + len(good) - 1
    assert decoder.verified == 1


@pytest.mark.parametrize("name", HOSTS)
def test_hosts_give_what_the_contract_takes(name):
    protocol = PROTOCOLS[name]
    region = "na" if protocol.regions else None
    host = protocol.host(HostOptions(antennas=(1, 2), power_dbm=20, region=region))
    assert host.wake_at_s == float("-inf") and host.frames == 0
    host.send(0.0)
    assert host.wake_at_s > 0.0
    items = [item for frame in fuzz.GOOD[name] for item in host.receive(frame, 0.1)]
    readings = [item for item in items if isinstance(item, Reading)]
    assert readings and host.frames == len(fuzz.GOOD[name])
    for reading in readings:
        assert re.fullmatch(r"[a-z0-9]{1,31}:[ -~]{1,120}", reading.tag)
        assert reading.rssi_dbm is None or isinstance(reading.rssi_dbm, float)
    assert host.dropped_bytes == 0 and isinstance(host.stop(), bytes)


@pytest.mark.parametrize("name", HOSTS)
def test_hosts_do_not_write_before_it_is_due(name):
    host = PROTOCOLS[name].host(HostOptions())
    for turn in range(50):
        host.send(float(turn))
        assert host.send(float(turn)) == b""


@pytest.mark.parametrize("name", [name for name in NAMES if PROTOCOLS[name].commands()])
def test_commands_are_verified_before_they_are_described(name):
    protocol = PROTOCOLS[name]
    if protocol.host is None:
        return
    host = protocol.host(HostOptions(power_dbm=20))
    written = b"".join(host.send(float(at)) for at in range(3)) + host.stop()
    frames = protocol.commands().feed(written)
    assert frames and all(frame["meaning"] != "other" for frame in frames)
    assert protocol.commands().feed(written[:-1] + bytes([written[-1] ^ 1])) != frames


def test_who_may_be_silent():
    silent = {name for name, row in PROTOCOLS.items() if row.silence_is_normal}
    assert silent == {
        "rdm6300",
        "wiegand_hex",
        "wiegand_decimal",
        "uhfreader18_active",
        "uhfreader288_active",
        "scanner",
        "line",
    }


def test_every_published_protocol_is_here():
    assert {row.vectors for row in PROTOCOLS.values()} - {None} == {
        "r2000_a0",
        "m100",
        "thingmagic",
        "chafon_uhfreader18",
        "chafon_uhfreader288",
        "chafon_cf",
        "phychips_rcp",
        "rdm6300",
        "tsl_ascii2",
        "zebra_ssi",
        "feig_iso_host",
        "caen_easy2read",
        "cc_family",
    }


def test_what_settings_may_say():
    for name, row in PROTOCOLS.items():
        assert row.baudrate in (row.rates or [row.baudrate]), name
        assert not (row.region_needed and not row.regions), name
        assert row.host or not (row.power_dbm or row.regions or row.rates), name


@pytest.mark.parametrize("name", [name for name in HOSTS if PROTOCOLS[name].regions])
def test_every_region_is_asked_for(name):
    protocol = PROTOCOLS[name]
    written = set()
    for region in protocol.regions:
        host = protocol.host(HostOptions(region=region))
        said = b"".join(host.send(float(at)) for at in range(0, 30, 3))
        written.add(said)
    # Two wait for answers before they come to it: the tests of their hosts look at that.
    assert len(written) == len(protocol.regions) or name in ("mercury", "rcp")
