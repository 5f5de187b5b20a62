"""Every BLE format: where it lives in an advertisement and what decodes it.

Formats that share a place are tried in order; each answers None for what is not its own. Apple's
company number carries a dozen formats, so none is ever taken by the number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from edge_agent.decoders import (
    ble,
    ble_bthome,
    ble_ela,
    ble_estimote,
    ble_feasycom,
    ble_gatt,
    ble_kkm,
    ble_kontakt,
    ble_mibeacon,
    ble_mikrotik,
    ble_minew,
    ble_minew_mfg,
    ble_moko,
    ble_ruuvi,
    ble_teltonika,
)
from edge_agent.decoders.ble_advert import Advert
from edge_agent.decoders.ble_fields import service_uuid
from edge_agent.decoders.readings import Frame

_EDDYSTONE = 0xFEAA
_SHORT_UUID_END = service_uuid(0)[8:]


class Format(NamedTuple):
    """`company`: of the manufacturer data, ANY for all; `service`: 16-bit number of the service
    data. `keyed` decoders take (data, address, key), the others (data)."""

    decode: Callable[..., Frame | None]
    company: int | None = None
    service: int | None = None
    keyed: bool = False


ANY = -1
FORMATS = {
    "ble_ibeacon": Format(ble.decode_ibeacon, company=ble.APPLE),
    "ble_eddystone": Format(ble.decode_eddystone, service=_EDDYSTONE),
    "ble_kkm_ksensor": Format(ble_kkm.decode, service=ble_kkm.SERVICE),
    "ble_ruuvi": Format(ble_ruuvi.decode, company=ble_ruuvi.COMPANY),
    "ble_bthome2": Format(ble_bthome.decode, service=ble_bthome.SERVICE, keyed=True),
    "ble_minew_a1": Format(ble_minew.decode, service=ble_minew.SERVICE),
    "ble_minew_mfg": Format(ble_minew_mfg.decode, company=ble_minew_mfg.COMPANY),
    "ble_kontakt": Format(ble_kontakt.decode, service=ble_kontakt.SERVICE),
    "ble_estimote": Format(ble_estimote.decode, service=ble_estimote.SERVICE),
    "ble_estimote_nearable": Format(
        ble_estimote.decode_nearable, company=ble_estimote.NEARABLE_COMPANY
    ),
    "ble_teltonika_eye": Format(ble_teltonika.decode, company=ble_teltonika.COMPANY),
    "ble_ela": Format(ble_ela.decode, company=ble_ela.COMPANY),
    "ble_gatt_2a6e": Format(ble_gatt.decode_temperature, service=ble_gatt.TEMPERATURE),
    "ble_gatt_2a6f": Format(ble_gatt.decode_humidity, service=ble_gatt.HUMIDITY),
    "ble_gatt_180f": Format(ble_gatt.decode_battery, service=ble_gatt.BATTERY),
    "ble_moko_p1": Format(ble_moko.decode_p1, company=ble_moko.P1_COMPANY),
    "ble_moko_beaconx": Format(ble_moko.decode_beaconx, service=ble_moko.SERVICE),
    "ble_feasycom": Format(ble_feasycom.decode, service=ble_feasycom.SERVICE),
    "ble_mikrotik": Format(ble_mikrotik.decode, company=ble_mikrotik.COMPANY),
    "ble_mibeacon": Format(ble_mibeacon.decode, service=ble_mibeacon.SERVICE, keyed=True),
    "ble_altbeacon": Format(ble.decode_altbeacon, company=ANY),
}


Place = int | str
"""Company number of manufacturer data, or 128-bit UUID of service data."""


class Found(NamedTuple):
    """`part`: mfr_<company> or svc_<uuid>; `format` and `frame` are None for a foreign part."""

    part: str
    format: str | None
    frame: Frame | None


def decode_payload(
    name: str, data: bytes, address: str | None = None, key: bytes | None = None
) -> Frame | None:
    """One payload by one named format, wherever it came from."""
    entry = FORMATS[name]
    return entry.decode(data, address, key) if entry.keyed else entry.decode(data)


def decode_format(name: str, advert: Advert) -> Frame | None:
    """The part of `advert` that is of the named format, if any."""
    entry = FORMATS[name]
    if entry.company == ANY:
        payloads = list(advert.manufacturer_data.values())
    elif entry.company is not None:
        payloads = [advert.manufacturer_data.get(entry.company, b"")]
    else:
        payloads = [advert.service_data.get(service_uuid(entry.service or 0), b"")]
    frames = (decode_payload(name, data, advert.address, advert.key) for data in payloads)
    return next((frame for frame in frames if frame is not None), None)


def decode_all(advert: Advert) -> Iterator[Found]:
    """Every part with the first format that takes it."""
    for company, data in advert.manufacturer_data.items():
        yield decode_part(company, data, advert.address, advert.key)
    for uuid, data in advert.service_data.items():
        yield decode_part(uuid, data, advert.address, advert.key)


def decode_part(place: Place, data: bytes, address: str | None, key: bytes | None) -> Found:
    """One part of an advertisement with the first format that takes it."""
    if isinstance(place, int):
        part, names = f"mfr_{place}", [*_BY_COMPANY.get(place, ()), *_BY_COMPANY[ANY]]
    else:
        named = place.startswith("0000") and place.endswith(_SHORT_UUID_END)
        part, names = f"svc_{place[4:8] if named else place}", _BY_SERVICE.get(place, [])
    for name in names:
        frame = decode_payload(name, data, address, key)
        if frame is not None:
            return Found(part, name, frame)
    return Found(part, None, None)


def _index() -> tuple[dict[int, list[str]], dict[str, list[str]]]:
    by_company: dict[int, list[str]] = {}
    by_service: dict[str, list[str]] = {}
    for name, entry in FORMATS.items():
        if entry.company is not None:
            by_company.setdefault(entry.company, []).append(name)
        if entry.service is not None:
            by_service.setdefault(service_uuid(entry.service), []).append(name)
    return by_company, by_service


_BY_COMPANY, _BY_SERVICE = _index()
