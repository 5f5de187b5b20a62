"""A small hospital for the value tests of queries and views: rows by hand, asked as an analyst.

The site is that of tests/sql/sites/acme-north.json, whose clock is Berlin's: north, building main,
floors f0 (lobby, mri) and f1 (icu-1, store), zones no-metal and exit, assets P-1, P-2, V-1. Beside
it: a second facility south with one room s-ward (UTC), departments icu (icu-1) and pool (store),
types pump (P-1 and P-2 are of it) and bed. Globex has the same codes: what mixes them shows.

Every test writes in a transaction that is rolled back. NOW is what `now` means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from pipeline.database.catalogue import find_query, read_catalogue
from pipeline.database.connect import Connection
from pipeline.database.query import resolve
from pipeline.registry.ids import NAMESPACE, make_id

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
"""The day after the clocks of Berlin went forward."""


def at(text: str) -> datetime:
    """`30 08:15` of March 2026, UTC; `30` is its midnight."""
    day, _, clock = text.partition(" ")
    hour, _, minute = (clock or "0:0").partition(":")
    return datetime(2026, 3, int(day), int(hour), int(minute or 0), tzinfo=UTC)


@dataclass
class Org:
    """Writes rows of one organization as the superuser."""

    conn: Connection
    code: str
    made: int = 0
    ids: dict[str, UUID] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return make_id("organization", self.code)

    def facility(self, code: str = "north") -> UUID:
        return self.ids.get(f"facility {code}") or make_id("facility", self.code, code)

    def building(self) -> UUID:
        return make_id("building", self.code, "north", "main")

    def room(self, code: str | None) -> UUID | None:
        if code is None:
            return None
        return self.ids.get(f"room {code}") or make_id("room", self.code, "north", "main", code)

    def zone(self, code: str) -> UUID:
        return make_id("zone", self.code, "north", "main", code)

    def rule(self, code: str) -> UUID:
        return self.ids.get(f"rule {code}") or make_id("rule", self.code, "north", code)

    def asset(self, tag_number: str) -> UUID:
        return make_id("asset", self.code, tag_number)

    def put(self, table: str, **values: Any) -> UUID:
        """Insert a row; an id is made up unless it is given. Returns the id."""
        self.made += 1
        row = {"organization_id": self.id, **values}
        if table not in ("tracking.asset_location_current", "tracking.alert_event") and (
            not table.startswith(("telemetry.", "pipeline."))
        ):
            row.setdefault("id", uuid5(NAMESPACE, f"{self.code} {self.made}"))
        if table.startswith("pipeline.") and table != "pipeline.unknown_tag":
            row.pop("organization_id")
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        cells = [Jsonb(v) if isinstance(v, list | dict) else v for v in row.values()]
        self.conn.execute(f"insert into {table} ({names}) values ({marks})".encode(), cells)
        return row.get("id", self.id)

    def make_asset(self, tag_number: str, model: str | None = "pump", **values: Any) -> UUID:
        row = {
            "id": self.asset(tag_number), "facility_id": self.facility(), "tag_number": tag_number,
            "name": f"Asset {tag_number}", "manufacturer": "Maker", "model": "M1",
            "serial_number": f"s-{tag_number}", "category": "THERAPEUTIC",
            "device_model_id": self.ids.get(f"model {model}"), **values,
        }  # fmt: skip
        return self.put("registry.asset", **row)

    def change(self, tag_number: str, **values: Any) -> None:
        pairs = ", ".join(f"{name} = %s" for name in values)
        self.conn.execute(
            f"update registry.asset set {pairs} where id = %s".encode(),
            (*values.values(), self.asset(tag_number)),
        )

    def place(self, tag_number: str, room: str | None, seen: datetime, **values: Any) -> None:
        row: dict[str, Any] = {
            "asset_id": self.asset(tag_number), "facility_id": self.facility(),
            "building_id": self.building(), "ts": seen, "last_seen_at": seen,
            "floor_id": self._floor_of(room), "room_id": self.room(room), "x_m": 1.0, "y_m": 2.0,
            "z_m": 1.0, "accuracy_m": 1.5, "room_confidence": 0.5, "method": 1, "reason": 0,
            "receivers": 3, "reads": 5, "moving": False, **values,
        }  # fmt: skip
        self.put("tracking.asset_location_current", **row)

    def visit(
        self, tag_number: str, room: str, entered: datetime, left: datetime | None = None,
        **values: Any,
    ) -> UUID:  # fmt: skip
        return self.put(
            "tracking.room_visit", asset_id=self.asset(tag_number), room_id=self.room(room),
            **{"facility_id": self.facility(), "entered_at": entered, "left_at": left,
               "entry_reason": "margin", "confidence": 0.5, "window_end": entered, **values},
        )  # fmt: skip

    def zone_visit(
        self, tag_number: str, zone: str, entered: datetime, left: datetime | None = None
    ) -> UUID:
        return self.put(
            "tracking.zone_visit", asset_id=self.asset(tag_number), zone_id=self.zone(zone),
            facility_id=self.facility(), entered_at=entered, left_at=left, entry_reason="dwell",
            confidence=0.5, window_end=entered,
        )  # fmt: skip

    def use(
        self, tag_number: str, state: str, start: datetime, end: datetime | None,
        method: str = "presence", room: str | None = None, facility: str = "north",
    ) -> UUID:  # fmt: skip
        return self.put(
            "tracking.usage_session", asset_id=self.asset(tag_number), state=state, method=method,
            started_at=start, ended_at=end, room_id=self.room(room),
            facility_id=self.facility(facility),
        )  # fmt: skip

    def alert(
        self, tag_number: str, rule: str, opened: datetime, resolved: datetime | None = None,
        acked: datetime | None = None, **values: Any,
    ) -> UUID:  # fmt: skip
        state = "resolved" if resolved else "acknowledged" if acked else "open"
        return self.put(
            "tracking.alert", asset_id=self.asset(tag_number), rule_id=self.rule(rule),
            opened_at=opened, resolved_at=resolved, acknowledged_at=acked, state=state, revision=1,
            acknowledged_by="Joy" if acked else None,
            **{"facility_id": self.facility(), "type": "forbidden-zone", "severity": "CRITICAL",
               "reason": "entered", **values},
        )  # fmt: skip

    def position(self, tag_number: str, ts: datetime, room: str | None, **values: Any) -> None:
        row: dict[str, Any] = {
            "asset_id": self.asset(tag_number), "building_id": self.building(), "ts": ts,
            "floor_id": self._floor_of(room), "room_id": self.room(room), "x_m": 1.0, "y_m": 2.0,
            "z_m": 1.0, "accuracy_m": 1.5, "method": 1, "reason": 0, "receivers": 3, "reads": 5,
            "moving": False, **values,
        }  # fmt: skip
        self.put("telemetry.location_history", **row)

    def reading(self, source: UUID, asset: str, quantity: int, ts: datetime, value: float) -> None:
        self.put("telemetry.sensor_reading", asset_id=self.asset(asset), source_id=source,
                 quantity=quantity, ts=ts, value=value)  # fmt: skip

    def tag(self, name: str) -> UUID:
        return make_id("tag", self.code, name)

    def _floor_of(self, room: str | None) -> UUID | None:
        floor = {"lobby": "f0", "mri": "f0", "ward": "f0", "icu-1": "f1", "store": "f1"}
        if room not in floor:
            return None
        return make_id("floor", self.code, "north", "main", floor[room])


def furnish(org: Org) -> None:
    """What every test finds beside the site."""
    org.ids["facility south"] = org.put(
        "registry.facility", code="south", name="South", time_zone="UTC"
    )
    south = org.put("registry.building", facility_id=org.facility("south"), code="s", name="S")
    floor = org.put("registry.floor", building_id=south, code="g", name="G", level=0, elevation_m=0,
                    height_m=3)  # fmt: skip
    org.ids["building south"] = south
    org.ids["room s-ward"] = org.put("registry.room", floor_id=floor, code="s-ward", name="Ward S",
                                     kind="patient", polygon=[[0, 0], [9, 0], [9, 9]])  # fmt: skip
    for code in ("icu", "pool"):
        org.ids[f"department {code}"] = org.put(
            "registry.department", code=code, name=code.upper(), facility_id=org.facility()
        )
    org.ids["user kim"] = org.put("registry.user_account", username="kim", display_name="Kim",
                                  job="NURSE")  # fmt: skip
    maker = org.put("registry.manufacturer", name="Maker")
    for code in ("pump", "bed"):
        kind = org.put("registry.device_type", code=code, name=code.title(), category="THERAPEUTIC")
        org.ids[f"type {code}"] = kind
        org.ids[f"model {code}"] = org.put(
            "registry.device_model", manufacturer_id=maker, device_type_id=kind,
            model_number=f"{code}-1", risk_class="CLASS_II",
        )  # fmt: skip
    for code, department in (("icu-1", "icu"), ("store", "pool"), ("ward", "icu")):
        org.conn.execute(
            "update registry.room set department_id = %s where id = %s",
            (org.ids[f"department {department}"], org.room(code)),
        )
    for tag_number in ("P-1", "P-2"):
        org.change(tag_number, device_model_id=org.ids["model pump"])
    # The dataflow of north has come to NOW.
    org.put("pipeline.progress", building_id=org.building(), window_end=NOW)


@dataclass
class Small:
    """`a`: acme, which is asked; `b`: globex."""

    conn: Connection
    a: Org
    b: Org

    def ask(self, code: str, *, now: datetime = NOW, who: Org | None = None, **given: Any) -> Any:
        """Rows of a query as an analyst; parameters whose names are keywords end in `_`."""
        query = find_query(read_catalogue(), code)
        texts = {name.rstrip("_"): str(value) for name, value in given.items()}
        with self._analyst(who or self.a):
            values = resolve(self.conn, query, texts, now.isoformat())
            rows = self.conn.execute(query.body.encode(), values)
            columns = tuple(column.name for column in rows.description or ())
            assert columns == query.columns
            return rows.fetchall()

    def view(
        self, view: str, columns: str, *, now: datetime | None = NOW, where: str = "true"
    ) -> Any:
        """Rows of a view's twin at NOW, or of the view itself, ordered by all columns asked for."""
        source = f"reporting.f_{view}(%s)" if now else f"reporting.{view}"
        text = f"select {columns} from {source} where {where} order by {columns}"
        with self._analyst(self.a):
            return self.conn.execute(text.encode(), (now,) if now else ()).fetchall()

    def _analyst(self, org: Org) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def confined() -> Any:
            with self.conn.transaction(force_rollback=True):
                self.conn.execute("set constraints all immediate")
                self.conn.execute("select set_config('app.org_id', %s, true)", (str(org.id),))
                self.conn.execute("set local role biotrakr_analyst")
                yield

        return confined()


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
