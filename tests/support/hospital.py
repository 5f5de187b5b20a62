"""A hand-made organization: `add` a row and only say what matters; the rest has a plain default.

    north = Hospital(connection, "acme", time_zone="Europe/Berlin")
    pump = north.model("P100", maker="Alpha", kind="pump", category="THERAPEUTIC")
    north.asset("P-1", device_model_id=pump, in_service_on="2025-01-01")
    north.add("maintenance.work_order", number="WO-1", asset_id=north.ids["P-1"], ...)

Written as whoever `connection` is, normally the superuser. Ids are random: tests compare numbers
and names. Make two of them with the same content: what leaks from one to the other doubles rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from pipeline.database import connect
from pipeline.database.catalogue import find_query, read_catalogue
from pipeline.database.connect import Connection
from pipeline.database.query import answering
from pipeline.database.testing import DatabaseServer


class Hospital:
    """`ids`: by tag number of assets, by code or name of everything else."""

    def __init__(self, conn: Connection, code: str, *, time_zone: str = "Europe/Berlin") -> None:
        self.conn = conn
        self.ids: dict[str, UUID] = {}
        row = conn.execute(
            "insert into registry.organization (id, code, name) "
            "values (gen_random_uuid(), %s, %s) returning id",
            (code, code.title()),
        ).fetchone()
        assert row is not None
        self.id: UUID = row[0]
        self.facility("north", time_zone)

    def add(self, table: str, name: str | None = None, /, **values: Any) -> UUID:
        """Insert a row; its id is also kept in `ids` under `name`."""
        values = {
            key: Jsonb(value) if isinstance(value, dict) else value for key, value in values.items()
        }
        columns = ", ".join(("id", "organization_id", *values))
        marks = ", ".join(["%s"] * (len(values) + 1))
        row = self.conn.execute(
            f"insert into {table} ({columns}) "
            f"values (gen_random_uuid(), {marks}) returning id".encode(),
            (self.id, *values.values()),
        ).fetchone()
        assert row is not None
        if name is not None:
            self.ids[name] = row[0]
        return row[0]

    def facility(self, code: str, time_zone: str) -> UUID:
        """With a building, a floor and the rooms `<code>-ward` and `<code>-store`."""
        facility = self.add(
            "registry.facility", code, code=code, name=code.title(), time_zone=time_zone
        )
        building = self.add(
            "registry.building", f"{code}-main", facility_id=facility, code="main", name="Main"
        )
        floor = self.add(
            "registry.floor", f"{code}-f0", building_id=building, code="f0", name="Ground",
            level=0, elevation_m=0, height_m=3,
        )  # fmt: skip
        for room in ("ward", "store"):
            self.add(
                "registry.room", f"{code}-{room}", floor_id=floor, code=room, name=room.title(),
                polygon="[[0, 0], [9, 0], [9, 9]]",
            )  # fmt: skip
        return facility

    def model(
        self, number: str, *, maker: str, kind: str, category: str = "THERAPEUTIC",
        life_support: bool = False, **values: Any,
    ) -> UUID:  # fmt: skip
        if maker not in self.ids:
            self.add("registry.manufacturer", maker, name=maker)
        if kind not in self.ids:
            self.add(
                "registry.device_type", kind, code=kind, name=kind.title(), category=category,
                is_life_support=life_support,
            )  # fmt: skip
        return self.add(
            "registry.device_model", number, manufacturer_id=self.ids[maker],
            device_type_id=self.ids[kind], model_number=number,
            **{"risk_class": "CLASS_II", **values},
        )  # fmt: skip

    def asset(self, tag: str, model: str | None = None, /, **values: Any) -> UUID:
        plain = {
            "facility_id": self.ids["north"],
            "tag_number": tag,
            "name": f"Device {tag}",
            "manufacturer": "Label",
            "model": "L-1",
            "serial_number": f"S-{tag}",
            "category": "THERAPEUTIC",
            "device_model_id": self.ids[model] if model else None,
        }
        return self.add("registry.asset", tag, **{**plain, **values})

    def place(self, tag: str, room: str, seen_at: str) -> None:
        """Where an asset was last located; `room` as in `ids`."""
        code = room.partition("-")[0]
        self.conn.execute(
            "insert into tracking.asset_location_current (asset_id, organization_id, facility_id, "
            "building_id, floor_id, room_id, ts, method, reason, receivers, reads, moving, "
            "last_seen_at) values (%s, %s, %s, %s, %s, %s, %s, 1, 1, 1, 1, false, %s)",
            (
                self.ids[tag], self.id, self.ids[code], self.ids[f"{code}-main"],
                self.ids[f"{code}-f0"], self.ids[room], seen_at, seen_at,
            ),
        )  # fmt: skip

    def used(
        self, tag: str, state: str, start: str, end: str | None, method: str = "checkout"
    ) -> None:
        self.add(
            "tracking.usage_session", facility_id=self.ids["north"], asset_id=self.ids[tag],
            state=state, method=method, started_at=start, ended_at=end,
        )  # fmt: skip


@contextmanager
def two_hospitals(
    server: DatabaseServer, fill: Callable[[Hospital], None]
) -> Iterator[tuple[str, Hospital]]:
    """The address of a database with two organizations of the same content, and the first."""
    with server.copy() as url, connect(url) as connection:
        hospitals = []
        for code in ("acme", "globex"):
            with connection.transaction():
                hospitals.append(Hospital(connection, code))
                fill(hospitals[-1])
        connection.execute("analyze")
        yield url, hospitals[0]


class Analyst:
    """Asks as the analyst of one organization."""

    def __init__(self, conn: Connection, organization: UUID, as_of: str) -> None:
        self.conn = conn
        self.organization = organization
        self.as_of = as_of

    def query(
        self, code: str, columns: str = "", *, as_of: str | None = None, **given: Any
    ) -> list[tuple[Any, ...]]:
        """The rows of a question of the catalogue; `columns`: only these, in this order."""
        query = find_query(read_catalogue(), code)
        with answering(
            self.conn,
            query,
            {name: str(value) for name, value in given.items()},
            organization=self.organization,
            as_of=as_of or self.as_of,
        ) as answer:
            assert answer.columns == query.columns
            places = [answer.columns.index(name) for name in columns.replace(",", " ").split()]
            return [tuple(row[place] for place in places) if places else row for row in answer.rows]

    def view(
        self, name: str, columns: str, where: str = "true", *, as_of: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Rows of a view, or of its twin at a time, ordered by the columns."""
        source = f"reporting.f_{name}('{as_of or self.as_of}')"
        if name in ("v_asset_register", "v_udi_quality", "failures"):
            source = f"reporting.{name}"
        return self.select(f"select {columns} from {source} where {where} order by {columns}")

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        with self.conn.transaction(force_rollback=True):
            self.conn.execute(
                "select set_config('app.org_id', %s, true)", (str(self.organization),)
            )
            self.conn.execute("set local role biotrakr_analyst")
            return self.conn.execute(statement.encode()).fetchall()
