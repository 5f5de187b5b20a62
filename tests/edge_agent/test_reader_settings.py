"""What may be said of a reader in the settings: each mistake has one message with what to do."""

import pytest

from edge_agent.decoders.registry_serial import PROTOCOLS
from edge_agent.errors import SettingsError
from edge_agent.settings import load


@pytest.fixture
def check(write_settings):
    """`check(lines)`: the settings of one reader, or the one mistake."""

    def look(lines, extra=""):
        section = '[[readers]]\nname = "r"\nkind = "serial"\nrequired = false\n'
        if "port" not in lines:
            section += 'port = "/dev/ttyUSB9"\n'
        try:
            return load(write_settings(section + lines, extra=extra)).readers[0]
        except SettingsError as error:
            (mistake,) = error.mistakes
            return mistake

    return look


@pytest.mark.parametrize("name", [name for name, row in PROTOCOLS.items() if row.host])
def test_every_protocol_with_a_host_is_known(check, name):
    region = 'region = "eu"\n' if PROTOCOLS[name].region_needed else ""
    settings = check(f'protocol = "{name}"\n{region}')
    assert (settings.protocol, settings.baudrate, settings.silent_after_s) == (name, None, None)


@pytest.mark.parametrize("name", [name for name, row in PROTOCOLS.items() if not row.host])
def test_a_protocol_that_can_only_be_decoded_is_refused(check, name):
    assert check(f'protocol = "{name}"').startswith(f"readers[0].protocol: there is no {name};")


@pytest.mark.parametrize(
    "lines, mistake",
    [
        ('protocol = "mercury"', "region: mercury needs one, as the country has it: na, eu, in"),
        ('protocol = "mercury"\nregion = "mars"', "region: one of na, eu"),
        ('protocol = "rdm6300"\nregion = "eu"', "region: cannot be set with rdm6300"),
        ('protocol = "rdm6300"\npower_dbm = 20', "power_dbm: cannot be set with rdm6300"),
        ('protocol = "m100"\npower_dbm = 31', "power_dbm: m100 takes 0 to 30"),
        ('protocol = "r2000"\nantennas = [9]', "antennas: r2000 has at most 8"),
        ('protocol = "r2000"\nantennas = [1, 1]', "antennas: each may be named once"),
        ('protocol = "ssi"\nantennas = [2]', "antennas: ssi goes over one only"),
        ('protocol = "scanner"\nbaudrate = "auto"', "baudrate: scanner has no checksum"),
        ('protocol = "m100"\nbaudrate = "fast"', "baudrate"),
        ('protocol = "r2000"\nport = "tcp://10.0.0.1"', "port: r2000 has no port of its own"),
        ('protocol = "r2000"\nport = "tcp://x:y"', "port: expected tcp://host[:port]"),
        ('protocol = "r2000"\nport = "COM3"', "port: expected /dev/.., usb:SERIAL"),
        (
            'protocol = "chafon_cf"\nport = "tcp://10.0.0.1"\nbaudrate = 9600',
            "baudrate: a network has none",
        ),
        ('protocol = "line"\npattern = "(?P<tag>["', "pattern: not a regular expression"),
        ('protocol = "line"\npattern = "x"', "pattern: the pattern needs a group (?P<tag>"),
        ('protocol = "nmea"\npattern = "x"', "pattern: it and prefix are for the protocol line"),
        ('protocol = "nmea"\ngs1 = true', "gs1: is for the protocol scanner"),
    ],
)
def test_mistakes(check, lines, mistake):
    assert check(lines).startswith(f"readers[0].{mistake}")


@pytest.mark.parametrize(
    "lines",
    [
        'protocol = "chafon_cf"\nport = "tcp://10.0.0.1"',
        'protocol = "r2000"\nport = "tcp://10.0.0.1:4001"',
        'protocol = "m100"\nport = "usb:A50285BI"\nbaudrate = "auto"',
        'protocol = "m100"\nport = "usb@1-1.4"\nregion = "na"\npower_dbm = 18.5',
        'protocol = "r2000"\nantennas = [1, 8]\nregion = "eu"',
        'protocol = "scanner"\ngs1 = true\nbaudrate = 115200',
        'protocol = "line"\npattern = "(?P<tag>.+)"\nprefix = "acme"',
    ],
)
def test_good(check, lines):
    assert not isinstance(check(lines), str)


def test_a_usb_device_that_has_to_be_there(write_settings):
    readers = '[[readers]]\nname = "r"\nkind = "serial"\nprotocol = "m100"\nport = "usb:NONE"\n'
    with pytest.raises(SettingsError, match="port: usb:NONE is not plugged in"):
        load(write_settings(readers))


@pytest.mark.parametrize(
    "line, mistake",
    [
        ('adapter = "usb0"', "readers[0].adapter: string should match pattern"),
        ('mode = "loud"', "readers[0].mode"),
        ("reset_after = -1", "readers[0].reset_after"),
    ],
)
def test_mistakes_about_bluetooth(write_settings, line, mistake):
    with pytest.raises(SettingsError) as caught:
        load(write_settings(f'[[readers]]\nname = "w"\nkind = "ble"\n{line}\n'))
    assert caught.value.mistakes[0].startswith(mistake)


def test_adapters_by_name_and_by_address(write_settings):
    for adapter in ("hci1", "00:1A:7D:DA:71:13"):
        readers = f'[[readers]]\nname = "w"\nkind = "ble"\nadapter = "{adapter}"\n'
        assert load(write_settings(readers)).readers[0].adapter == adapter


def test_keys_that_others_could_read_are_refused(write_settings, tmp_path):
    keys = tmp_path / "keys.toml"
    keys.write_text('[irk]\na = "ec0234a357c8ad05341010a60a397d9b"\n')
    keys.chmod(0o644)
    readers, extra = '[[readers]]\nname = "w"\nkind = "ble"\n', f'tag_keys_file = "{keys}"'
    with pytest.raises(SettingsError, match=r"tag_keys_file: .* chmod 640") as caught:
        load(write_settings(readers, extra=extra))
    assert "ec0234" not in str(caught.value)
    keys.chmod(0o640)
    assert load(write_settings(readers, extra=extra)).tag_keys_file == keys
