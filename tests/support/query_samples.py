"""Values for the parameters that a query wants to be given, taken from a seeded organization."""

from __future__ import annotations

from pipeline.database.catalogue import Query
from pipeline.database.connect import Connection

# For a parameter of this name, unless the query has one of its own below.
_ASKED = {
    "tag": "select tag_number from registry.asset as a join tracking.asset_location_current as p "
    "on p.asset_id = a.id where a.deleted_at is null order by a.tag_number limit 1",
    "facility": "select f.code from registry.facility as f order by f.code limit 1",
    "room": "select room.code from registry.room join registry.floor on floor.id = room.floor_id "
    "join registry.building as b on b.id = floor.building_id join registry.facility as f "
    "on f.id = b.facility_id order by f.code, room.code limit 1",
    "type": "select code from registry.device_type where code = 'infusion-pump' limit 1",
    "serial": "select serial_number from registry.asset where deleted_at is null "
    "order by tag_number limit 1",
    "udi": "select udi_di from registry.asset where udi_di is not null and deleted_at is null "
    "order by tag_number limit 1",
    "external_id": "select external_id from registry.external_sync order by external_id limit 1",
}
_WORDS = {"words": "pump", "text": "infusoin pump", "specifications": "{}"}
# Where the defaults ask for what the seed hardly has.
_WIDER = {
    "L05": {"from": "now - 28 days"},
    "P05": {"threshold": "0.2"},
    "X09": {"times": "0", "from": "now - 60 days"},
    "X10": {"type": "recall"},
}
_OF_QUERY = {
    "A04": {
        "tag": "select t.name from registry.tag as t join registry.tag_assignment as w "
        "on w.tag_id = t.id order by t.name limit 1"
    }
}


def samples(connection: Connection, query: Query) -> dict[str, str]:
    """`connection` reads as an analyst of the organization. Raises KeyError for a name that is not
    known here."""
    given = dict(_WIDER.get(query.code, {}))
    for parameter in query.parameters:
        if parameter.default is not None:
            continue
        asked = _OF_QUERY.get(query.code, {}).get(parameter.name, _ASKED.get(parameter.name))
        if asked is None:
            given[parameter.name] = _WORDS[parameter.name]
            continue
        row = connection.execute(asked.encode()).fetchone()
        assert row is not None, f"the seed has nothing for {parameter.name}"
        given[parameter.name] = str(row[0])
    return given
