"""The columns of an equipment list: their names, what else people call them, how they are read.

Names are those of the registry's fields; the header of a file may say any of the others. A column
that is only told (`kept` false) is known and left alone: another table or a job is its owner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.exchange import values
from pipeline.exchange.values import Parser

CATEGORIES = ("IMAGING", "LABORATORY", "SURGICAL", "PATIENT_MONITORING", "THERAPEUTIC",
              "LIFE_SUPPORT", "DIAGNOSTIC", "ANESTHESIA", "STERILIZATION", "SUPPORT_EQUIPMENT",
              "IT_MEDICAL", "OTHER")  # fmt: skip
STATUSES = ("ACTIVE", "IN_SERVICE", "IN_MAINTENANCE", "QUARANTINED", "CONDEMNED", "RETIRED",
            "DISPOSED")  # fmt: skip
OWNERSHIPS = ("OWNED", "LEASED", "RENTED", "LOANED", "CONSIGNED")
_COST = values.number(places=2, least=0, most=9_999_999_999.99)


@dataclass(frozen=True)
class Field:
    """`column`: of registry.asset, where the value goes as it is. `aliases`: other headers."""

    name: str
    parse: Parser
    column: str | None = None
    aliases: tuple[str, ...] = ()
    kept: bool = True


def key(header: str) -> str:
    """What headers are compared by: "Serial No." and "serial_no" are the same."""
    return re.sub(r"[^a-z0-9]+", "", header.casefold().replace("ß", "ss"))


def _text(longest: int) -> Parser:
    return values.text(longest)


FIELDS: tuple[Field, ...] = (
    Field("asset_tag_number", _text(50), "tag_number",
          ("asset tag", "tag number", "tag no", "asset number", "asset no", "control number",
           "control no", "equipment number", "inventory number", "inventarnummer", "barcode")),
    Field("equipment_name", _text(200), "name",
          ("name", "asset name", "description", "equipment", "equipment description",
           "bezeichnung", "gerätebezeichnung")),
    Field("manufacturer", _text(100), "manufacturer",
          ("make", "mfr", "maker", "brand", "hersteller")),
    Field("model_number", _text(100), "model", ("model", "model no", "modell", "typ")),
    Field("serial_number", _text(100), "serial_number",
          ("serial", "serial no", "sn", "s/n", "seriennummer")),
    Field("device_category", values.choice(*CATEGORIES, anaesthesia="ANESTHESIA",
                                           sterilisation="STERILIZATION",
                                           monitoring="PATIENT_MONITORING"),
          "category", ("category", "kategorie")),
    Field("device_subcategory", _text(100), None,
          ("device type", "equipment type", "type", "subcategory", "geräteart")),
    Field("risk_classification", values.choice("CLASS_I", "CLASS_II", "CLASS_III", **{
        "I": "CLASS_I", "II": "CLASS_II", "III": "CLASS_III", "1": "CLASS_I", "2": "CLASS_II",
        "3": "CLASS_III"}), None, ("risk class", "device class", "fda class")),
    Field("asset_status", values.choice(*STATUSES, instorage="ACTIVE", inuse="IN_SERVICE",
                                        inrepair="IN_MAINTENANCE", scrapped="DISPOSED"),
          "status", ("status",)),
    Field("criticality_level", values.choice("CRITICAL", "HIGH", "MEDIUM", "LOW"), "criticality",
          ("criticality", "priority", "risk", "kritikalität")),
    Field("udi_carrier", _text(250), None, ("udi", "udi full", "udi hrf", "udi string")),
    Field("udi_device_identifier", _text(100), None,
          ("udi di", "gtin", "device identifier")),
    Field("udi_production_identifier", _text(100), None, ("udi pi",)),
    Field("udi_issuer", values.choice("GS1", "HIBCC", "ICCBBA", "IFA", hibc="HIBCC"), "udi_issuer",
          ("issuing agency", "issuer")),
    Field("lot_number", _text(50), "lot_number", ("lot", "batch", "lot no", "charge")),
    Field("manufactured_on", values.day, "manufactured_on",
          ("manufacture date", "mfg date", "date of manufacture", "baujahr")),
    Field("expires_on", values.day, "expires_on", ("expiry date", "expiration date")),
    Field("vendor", _text(100), None, ("supplier", "vendor name", "lieferant")),
    Field("purchase_order_number", _text(50), "purchase_order_number",
          ("po", "po number", "po no")),
    Field("invoice_number", _text(50), "invoice_number", ("invoice", "invoice no")),
    Field("purchase_date", values.day, "purchased_on",
          ("acquisition date", "date purchased", "anschaffungsdatum", "kaufdatum")),
    Field("installation_date", values.day, "installed_on", ("install date", "date installed")),
    Field("in_service_date", values.day, "in_service_on", ("in service on", "date in service")),
    Field("purchase_cost", _COST, "purchase_cost",
          ("cost", "price", "acquisition cost", "purchase price", "anschaffungskosten")),
    Field("currency_code", values.text(3, "[A-Z]{3}", "USD"), "currency_code",
          ("currency", "währung")),
    Field("funding_source", _text(100), None, ("fund", "funding")),
    Field("estimated_replacement_cost", _COST, "replacement_cost", ("replacement cost",)),
    Field("residual_value", _COST, "residual_value", ("salvage value",)),
    Field("downtime_cost_per_hour", values.number(places=2, least=0, most=99_999_999.99),
          "downtime_cost_per_hour"),
    Field("ownership", values.choice(*OWNERSHIPS), "ownership"),
    Field("technical_specifications", values.json_value(dict), "specifications",
          ("specifications", "specs")),
    Field("software_version", _text(50), "software_version",
          ("software", "firmware", "sw version")),
    Field("operating_system", _text(50), "operating_system", ("os",)),
    Field("network_mac_address", values.mac, "mac_address", ("mac", "mac address")),
    Field("ip_address", values.ip, "ip_address", ("ip",)),
    Field("facility", _text(63), None,
          ("facility code", "site", "site code", "hospital", "campus", "standort")),
    Field("department", _text(63), None,
          ("department code", "dept", "unit", "abteilung")),
    Field("custodian", _text(100), None, ("owner", "responsible", "custodian username")),
    Field("home_room", _text(200), None, ("room", "home location", "location", "raum")),
    Field("requires_checkout", values.yes_no, "requires_checkout", ("checkout required",)),
    Field("auto_generate_work_orders", values.yes_no, "auto_work_orders", ("auto work orders",)),
    Field("retired_on", values.day, "retired_on", ("retirement date", "date retired")),
    Field("attachment_storage_path", _text(255), "attachment_path", ("attachments",)),
    Field("notes", _text(10_000), "notes", ("note", "comment", "comments", "remarks", "bemerkung")),
    Field("version", values.whole(1, 2**31 - 1), None, ("record version",)),
    *(
        Field(name, _text(10_000), None, aliases, kept=False)
        for name, aliases in (
            ("facility_name", ()), ("department_name", ()), ("cost_center", ("cost centre",)),
            ("pm_schedule_code", ("pm schedule",)), ("last_pm_date", ("last pm",)),
            ("next_pm_due_date", ("next pm", "pm due")), ("warranty_end_date", ("warranty end",)),
            ("gmdn_code", ("gmdn",)), ("umdns_code", ("umdns",)), ("udi_check", ()),
            ("asset_id", ()), ("complete", ()),
        )
    ),
)  # fmt: skip
BY_NAME = {field.name: field for field in FIELDS}
REQUIRED = ("asset_tag_number",)
NEW_NEEDS = ("equipment_name", "manufacturer", "model_number", "serial_number")
"""What an asset that is not in the registry yet must say; also its category, or a known type."""


def _known() -> dict[str, Field]:
    found: dict[str, Field] = {}
    for field in FIELDS:
        for name in (field.name, *field.aliases):
            if found.setdefault(key(name), field) is not field:
                raise ValueError(f"two columns are called {name!r}")
    return found


BY_HEADER = _known()
