"""Assets and places as FHIR resources, R4 or R5.

Device: asset tag and serial as identifiers, UDI, state, owner, place. Location: facility, building,
floor, room, each part of the one before; coordinates of rooms stay out, for `position` is WGS 84.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal, TextIO
from uuid import UUID

from pipeline.exchange.export_query import Record

Release = Literal["R4", "R5"]
Resource = dict[str, Any]
ISSUERS = {
    "GS1": "http://hl7.org/fhir/NamingSystem/gs1",
    "HIBCC": "http://hl7.org/fhir/NamingSystem/hibcc",
    "ICCBBA": "http://hl7.org/fhir/NamingSystem/iccbba-other",
}
_BLOOD = "http://hl7.org/fhir/NamingSystem/iccbba-blood"
_FDA = "http://hl7.org/fhir/NamingSystem/fda-udi"
_INACTIVE = {"CONDEMNED", "RETIRED", "DISPOSED"}
_AVAILABILITY = "http://hl7.org/fhir/device-availability-status"
_SERIAL = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SNO"}]}
_FORMS = "http://terminology.hl7.org/CodeSystem/location-physical-type"


@dataclass(frozen=True)
class Exporter:
    """`organization`: its code, id and name."""

    release: Release
    code: str
    id: UUID
    name: str

    def resources(self, places: Iterable[Record], assets: Iterable[Record]) -> Iterator[Resource]:
        yield {
            "resourceType": "Organization",
            "id": str(self.id),
            "identifier": [{"system": "urn:biotrakr:organization", "value": self.code}],
            "name": self.name,
        }
        yield from map(self.location, places)
        yield from map(self.device, assets)

    def location(self, place: Record) -> Resource:
        form = {"coding": [{"system": _FORMS, "code": place["form"]}]}
        resource = {
            "resourceType": "Location",
            "id": str(place["id"]),
            "identifier": [{"system": f"urn:biotrakr:{self.code}:place", "value": place["code"]}],
            "status": "active",
            "name": place["name"],
            "mode": "instance",
            "physicalType" if self.release == "R4" else "form": form,
            "managingOrganization": {"reference": f"Organization/{self.id}"},
        }
        if place["part_of"]:
            resource["partOf"] = {"reference": f"Location/{place['part_of']}"}
        return resource

    def device(self, asset: Record) -> Resource:
        updated = asset["updated_at"].astimezone(UTC).isoformat(timespec="milliseconds")
        resource: Resource = {
            "resourceType": "Device",
            "id": str(asset["asset_id"]),
            "meta": {"versionId": str(asset["version"]), "lastUpdated": updated},
            "identifier": self._identifiers(asset),
            "udiCarrier": self._udi(asset),
            "status": "inactive" if asset["asset_status"] in _INACTIVE else "active",
            "manufacturer": asset["manufacturer"],
            "manufactureDate": _day(asset["manufactured_on"]),
            "expirationDate": _day(asset["expires_on"]),
            "lotNumber": asset["lot_number"],
            "serialNumber": asset["serial_number"],
            "modelNumber": asset["model_number"],
            "owner": {"reference": f"Organization/{self.id}", "display": self.name},
            "location": {"reference": f"Location/{asset['location_id'] or asset['facility_id']}"},
            "note": [{"text": asset["notes"]}] if asset["notes"] else None,
        }
        if asset["software_version"]:
            resource["version"] = [
                {"type": {"text": "software"}, "value": asset["software_version"]}
            ]
        resource |= self._r4(asset) if self.release == "R4" else self._r5(asset)
        return {name: value for name, value in resource.items() if value not in (None, [], {})}

    def _identifiers(self, asset: Record) -> list[Resource]:
        system = f"urn:biotrakr:{self.code}:asset-tag"
        found: list[Resource] = [
            {"use": "usual", "system": system, "value": asset["asset_tag_number"]}
        ]
        if asset["serial_number"]:
            found.append({"use": "official", "type": _SERIAL, "value": asset["serial_number"]})
        return found

    def _udi(self, asset: Record) -> list[Resource]:
        """R5 demands the issuer: without one there is no carrier to tell of."""
        di, issuer = asset["udi_device_identifier"], ISSUERS.get(asset["udi_issuer"] or "")
        if di is None or (issuer is None and self.release == "R5"):
            return []
        carrier = asset["udi_carrier"]
        if issuer == ISSUERS["ICCBBA"] and (carrier or "").startswith("=)"):
            issuer = _BLOOD
        found = {
            "deviceIdentifier": di,
            "issuer": issuer,
            "jurisdiction": _FDA if asset["is_fda"] else None,
            "carrierHRF": carrier,
            "entryType": "unknown",
        }
        return [{name: value for name, value in found.items() if value is not None}]

    def _type(self, asset: Record) -> Resource | None:
        if asset["device_subcategory"] is None:
            return None
        coding = {"system": f"urn:biotrakr:{self.code}:device-type", "code": asset["type_code"]}
        return {"coding": [coding], "text": asset["device_subcategory"]}

    def _r4(self, asset: Record) -> Resource:
        names = [{"name": asset["equipment_name"], "type": "user-friendly-name"}]
        if asset["model_name"]:
            names.append({"name": asset["model_name"], "type": "model-name"})
        return {"deviceName": names, "type": self._type(asset)}

    def _r5(self, asset: Record) -> Resource:
        type_ = self._type(asset)
        found: Resource = {
            "displayName": asset["equipment_name"],
            "name": [{"value": asset["equipment_name"], "type": "user-friendly-name",
                      "display": True}],
            "type": [type_] if type_ else None,
        }  # fmt: skip
        if availability := _availability(asset):
            coding = {"system": _AVAILABILITY, "code": availability}
            found["availabilityStatus"] = {"coding": [coding]}
        return found


def _availability(asset: Record) -> str | None:
    """In maintenance it is not damaged, and not available either: nothing is said."""
    if asset["asset_status"] in ("ACTIVE", "IN_SERVICE"):
        return "available"
    return {"LOST": "lost", "STOLEN": "lost", "SCRAPPED": "destroyed"}.get(
        asset["disposal_method"] or ""
    )


def _day(value: Any) -> str | None:
    return value.isoformat() if value else None


def write_ndjson(resources: Iterable[Resource], file: TextIO) -> int:
    """One resource a line; how many."""
    count = 0
    for resource in resources:
        file.write(json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
    return count


def write_bundle(resources: Iterable[Resource], file: TextIO) -> int:
    """A Bundle of type collection, written as it comes; how many resources."""
    file.write('{"resourceType":"Bundle","type":"collection","entry":[')
    count = 0
    for resource in resources:
        entry = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
        file.write(",\n" if count else "\n")
        file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        count += 1
    file.write("\n]}\n")
    return count
