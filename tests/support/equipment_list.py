"""A line of an equipment list, as tests of import and export write it."""

from __future__ import annotations

HEADER = ["Asset Tag", "Name", "Make", "Model", "Serial No.", "Device Type", "Category",
          "Criticality", "UDI", "Supplier", "Acquisition Date", "Acquisition Cost", "Currency",
          "Facility", "Dept", "Custodian", "Room"]  # fmt: skip
UDI = "(01)00643169001763(17)290712(10)A213B1(21)1234"


def line(tag, **changes):
    row = dict(zip(HEADER, [tag, "Pump", "Steinbrück", "P-100", "S1", "Infusion pump",
                            "Therapeutic", "high", UDI, "Omni Distribution", "2024-02-29",
                            "1,250.50", "EUR", "north", "icu", "ana", "main/r1"],
                            strict=True))  # fmt: skip
    return list((row | changes).values())


def run(registry, path, *options, user="ana"):
    return registry.run("import", "assets", path, "--user", user, *options)
