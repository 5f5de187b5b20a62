"""BLE advertisements to identities: iBeacon, Eddystone, AltBeacon, else a lasting address.

Input is what bleak gives: manufacturer data by company number (without the two company bytes) and
service data by 128-bit UUID. A decoder answers None for what is not its format; none raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_agent.decoders.readings import Frame

APPLE = 0x004C
EDDYSTONE = "0000feaa-0000-1000-8000-00805f9b34fb"
_SCHEMES = ("http://www.", "https://www.", "http://", "https://")
_DOMAINS = (".com", ".org", ".edu", ".net", ".info", ".biz", ".gov")
_NO_TEMPERATURE = b"\x80\x00"


def identity(
    *,
    address: str,
    address_type: str | None,
    manufacturer_data: Mapping[int, bytes],
    service_data: Mapping[str, bytes],
    forward_random: bool = False,
    owner_of: Callable[[str], str | None] | None = None,
) -> str | None:
    """The one tag name of an advertisement, or None when it has none that lasts.

    Random addresses that change (resolvable, non-resolvable) are named only if `forward_random`,
    or after their owner if `owner_of` (such as ble_rpa.Resolver.name_of) knows it: `irk:<owner>`.
    """
    return beacon_identity(manufacturer_data, service_data) or device_identity(
        address, address_type, forward_random=forward_random, owner_of=owner_of
    )


def beacon_identity(
    manufacturer_data: Mapping[int, bytes], service_data: Mapping[str, bytes]
) -> str | None:
    """What the advertisement itself says it is, whatever its address."""
    if APPLE in manufacturer_data and (beacon := decode_ibeacon(manufacturer_data[APPLE])):
        return f"ibeacon:{beacon['uuid']}/{beacon['major']}/{beacon['minor']}"
    eddystone = decode_eddystone(service_data.get(EDDYSTONE, b""))
    if eddystone and eddystone["frame"] == "uid":
        return f"eddystone:{eddystone['namespace']}/{eddystone['instance']}"
    for data in manufacturer_data.values():
        if beacon := decode_altbeacon(data):
            return f"altbeacon:{beacon['id']}"
    return None


def device_identity(
    address: str,
    address_type: str | None,
    *,
    forward_random: bool = False,
    owner_of: Callable[[str], str | None] | None = None,
) -> str | None:
    """The name of a device by its address, if that lasts."""
    if address_type == "random" and owner_of is not None and (owner := owner_of(address)):
        return f"irk:{owner}"
    return _address_name(address, address_type, forward_random)


def _address_name(address: str, address_type: str | None, forward_random: bool) -> str | None:
    digits = address.replace(":", "").lower()
    if len(digits) != 12 or digits.strip("0123456789abcdef"):
        return None
    if forward_random or lasting_address(digits, address_type):
        return f"ble:{digits}"
    return None


def lasting_address(digits: str, address_type: str | None) -> bool:
    """Whether 12 hexadecimal digits name a device for good: public, or static random."""
    return address_type != "random" or int(digits[0], 16) >> 2 == 0b11


def decode_ibeacon(data: bytes) -> Frame | None:
    """Data of company 76. Power is in dBm at 1 m."""
    if len(data) < 23 or data[:2] != b"\x02\x15":
        return None
    digits = data[2:18].hex()
    return {
        "uuid": "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),
        "major": int.from_bytes(data[18:20], "big"),
        "minor": int.from_bytes(data[20:22], "big"),
        "measured_power": _signed(data[22]),
    }


def decode_altbeacon(data: bytes) -> Frame | None:
    """Manufacturer data of any company. The reference RSSI is in dBm at 1 m."""
    if len(data) != 24 or data[:2] != b"\xbe\xac":
        return None
    return {
        "id": data[2:22].hex(),
        "reference_rssi": _signed(data[22]),
        "mfg_reserved": data[23],
    }


def decode_eddystone(data: bytes) -> Frame | None:
    """Service data FEAA. `frame`: uid, url, tlm, etlm or eid; power is in dBm at 0 m."""
    if not data:
        return None
    decoder = {0x00: _uid, 0x10: _url, 0x20: _telemetry, 0x30: _eid}.get(data[0])
    return decoder(data) if decoder else None


def _uid(data: bytes) -> Frame | None:
    if len(data) not in (18, 20):
        return None
    return {
        "frame": "uid",
        "tx_power_0m": _signed(data[1]),
        "namespace": data[2:12].hex(),
        "instance": data[12:18].hex(),
    }


def _url(data: bytes) -> Frame | None:
    if len(data) < 3 or data[2] >= len(_SCHEMES):
        return None
    text = _SCHEMES[data[2]]
    for code in data[3:]:
        if code < 14:
            text += _DOMAINS[code % 7] + ("/" if code < 7 else "")
        elif 0x20 < code < 0x7F:
            text += chr(code)
        else:
            return None
    return {"frame": "url", "tx_power_0m": _signed(data[1]), "url": text}


def _telemetry(data: bytes) -> Frame | None:
    if len(data) == 18 and data[1] == 1:
        return {
            "frame": "etlm",
            "encrypted": data[2:14].hex(),
            "salt": int.from_bytes(data[14:16], "big"),
            "mic": int.from_bytes(data[16:18], "big"),
        }
    if len(data) != 14 or data[1] != 0:
        return None
    degrees = int.from_bytes(data[4:6], "big", signed=True) / 256
    return {
        "frame": "tlm",
        "battery_mv": int.from_bytes(data[2:4], "big"),
        "temperature_c": None if data[4:6] == _NO_TEMPERATURE else degrees,
        "adv_count": int.from_bytes(data[6:10], "big"),
        "uptime_s": int.from_bytes(data[10:14], "big") / 10,
    }


def _eid(data: bytes) -> Frame | None:
    if len(data) != 10:
        return None
    return {"frame": "eid", "tx_power_0m": _signed(data[1]), "eid": data[2:10].hex()}


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
