"""Receptions as the edge agent's replay format: JSON lines, one file a gateway, in time order.

``{"at_us":..., "adapter":"ble3", "address":"C4:..", "address_type":"public", "rssi_dbm":-61,
"manufacturer_data":{"76":"0215<uuid><major><minor><power>"}}`` for an advert,
``{"at_us":..., "receiver":"portal-mri/2", "tag":"epc:...", "rssi_dbm":-60, "kind":"rfid"}`` for a
finished RFID read, and ``{"until_us":...}``: no later line of the file is older than that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.simulation.hospital import Hospital
from pipeline.simulation.portals import PortalReads
from pipeline.simulation.radio import Hearings

MARKER_US = 250_000
APPLE = 76


class AdvertWriter:
    """Turns receptions of one span of time into the lines of each gateway."""

    def __init__(self, hospital: Hospital, start_us: int) -> None:
        """`start_us`: the event time (us since 1970) at which the walks start."""
        self._start_us = start_us
        self.gateways = hospital.gateways
        number = {gateway: i for i, gateway in enumerate(self.gateways)}
        self._receiver_gateway = np.array([number[g] for g in hospital.receivers.gateways])
        self._reader_gateway = np.array([number[r.gateway] for r in hospital.readers])
        self._adapters = [f',"adapter":"{name}"' for name in hospital.receivers.names]
        self._beacons = [_beacon(hospital, i) for i in range(len(hospital.fleet))]
        self._antennas = [
            [f',"receiver":"{antenna.receiver}"' for antenna in reader.antennas]
            for reader in hospital.readers
        ]
        self._epcs = [
            f',"tag":"epc:{epc}","kind":"rfid","rssi_dbm":' for epc in hospital.fleet.epcs
        ]

    def lines(
        self, hearings: Hearings, reads: PortalReads | None, start_us: int, end_us: int
    ) -> list[str]:
        """The text to append for [start, end) (after the walks' start), one entry a gateway.

        Begins with no marker and ends with the marker of `end_us`.
        """
        texts = list(self._adverts(hearings))
        owner = [self._receiver_gateway[hearings.receiver]]
        times = [hearings.at_us]
        if reads is not None:
            texts += self._reads(reads)
            owner.append(self._reader_gateway[reads.reader])
            times.append(reads.at_us)
        marks = _marks(start_us, end_us)
        texts += [f'{{"until_us":{at}}}\n' for at in (marks + self._start_us).tolist()]
        return self._merge(texts, np.concatenate(owner), np.concatenate(times), marks)

    def _merge(
        self,
        texts: list[str],
        owner: NDArray[np.int64],
        times: NDArray[np.int64],
        marks: NDArray[np.int64],
    ) -> list[str]:
        """A marker stands before the lines of its own time."""
        found = []
        first_mark = len(times)
        for gateway in range(len(self.gateways)):
            mine = np.nonzero(owner == gateway)[0]
            index = np.concatenate([np.arange(first_mark, first_mark + len(marks)), mine])
            order = np.argsort(np.concatenate([marks, times[mine]]), kind="stable")
            found.append("".join([texts[i] for i in index[order].tolist()]))
        return found

    def _adverts(self, hearings: Hearings) -> Iterator[str]:
        adapters, beacons = self._adapters, self._beacons
        columns = (hearings.at_us + self._start_us, hearings.asset, hearings.receiver)
        rows = zip(*(c.tolist() for c in columns), hearings.rssi_dbm.tolist(), strict=True)
        for at_us, asset, receiver, rssi in rows:
            yield f'{{"at_us":{at_us}{adapters[receiver]}{beacons[asset]}{rssi}}}\n'

    def _reads(self, reads: PortalReads) -> Iterator[str]:
        columns = (reads.at_us + self._start_us, reads.reader, reads.antenna, reads.asset)
        rows = zip(*(c.tolist() for c in columns), reads.rssi_dbm.tolist(), strict=True)
        for at_us, reader, antenna, asset, rssi in rows:
            yield f'{{"at_us":{at_us}{self._antennas[reader][antenna]}{self._epcs[asset]}{rssi}}}\n'


def beacon_payload(uuid: str, major: int, minor: int, measured_power_dbm: int) -> str:
    """iBeacon manufacturer data after the company number, as hex."""
    power = measured_power_dbm & 0xFF
    return f"0215{uuid.replace('-', '')}{major:04x}{minor:04x}{power:02x}"


def _beacon(hospital: Hospital, asset: int) -> str:
    power = round(hospital.scenario.radio.p0_dbm)
    payload = beacon_payload(*hospital.fleet.beacons[asset], power)
    return (
        f',"address":"{hospital.fleet.addresses[asset]}","address_type":"public"'
        f',"manufacturer_data":{{"{APPLE}":"{payload}"}},"rssi_dbm":'
    )


def _marks(start_us: int, end_us: int) -> NDArray[np.int64]:
    """Multiples of MARKER_US in (start, end], and the end."""
    first, last = start_us // MARKER_US + 1, end_us // MARKER_US
    return np.union1d(np.arange(first, last + 1) * MARKER_US, [end_us]).astype(np.int64)
