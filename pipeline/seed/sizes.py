"""How much of everything: small for tests, what one wants to see for a demonstration, and big."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

AS_OF = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""The present of the history, unless another is asked for: fixed, so that figures stay."""

HISTORY_DAYS = 3 * 365


@dataclass(frozen=True)
class Hospital:
    """One facility. `assets`: relative share of its organization's."""

    code: str
    name: str
    time_zone: str
    country: str
    buildings: int
    floors: int
    share: float


@dataclass(frozen=True)
class Group:
    """One organization. `login`: of its mail addresses."""

    code: str
    name: str
    currency: str
    domain: str
    hospitals: tuple[Hospital, ...]
    assets: int


@dataclass(frozen=True)
class Size:
    """Rows of telemetry are of all groups together, shared by their assets; about three positions
    in a hundred fall into a silence and are not written. Days count back from the present."""

    name: str
    groups: tuple[Group, ...]
    visit_days: int
    location_rows: int
    location_days: int
    sensor_rows: int
    sensor_days: int
    score_weeks: int


_MERIDIAN = (
    Hospital("lakeside", "Lakeside General Hospital", "America/Chicago", "US", 2, 4, 5),
    Hospital("harbor", "Harbor Children's Hospital", "America/New_York", "US", 1, 3, 3),
    Hospital("mesa", "Mesa Rehabilitation Center", "America/Denver", "US", 1, 2, 2),
)
_RHEINTAL = (
    Hospital("nord", "Klinikum Nord", "Europe/Berlin", "DE", 1, 3, 3),
    Hospital("sued", "Klinik Süd", "Europe/Berlin", "DE", 1, 2, 2),
)


def _groups(meridian: int, rheintal: int, copies: int = 1) -> tuple[Group, ...]:
    """`copies`: how often each hospital stands in the group, for the big one."""
    return tuple(
        Group(code, name, currency, domain, _copied(hospitals, copies), assets)
        for code, name, currency, domain, hospitals, assets in (
            ("meridian", "Meridian Health", "USD", "meridian.example", _MERIDIAN, meridian),
            ("rheintal", "Rheintal Kliniken", "EUR", "rheintal.example", _RHEINTAL, rheintal),
        )
    )


def _copied(hospitals: tuple[Hospital, ...], copies: int) -> tuple[Hospital, ...]:
    if copies == 1:
        return hospitals
    return tuple(
        Hospital(f"{h.code}-{i}", f"{h.name} {i}", h.time_zone, h.country, h.buildings, h.floors,
                 h.share)
        for i in range(1, copies + 1)
        for h in hospitals
    )  # fmt: skip


SIZES = {
    "test": Size("test", _groups(320, 140), 21, 40_000, 28, 24_000, 30, 20),
    "demo": Size("demo", _groups(1_700, 700), 14, 400_000, 60, 200_000, 90, 12),
    "big": Size("big", _groups(38_000, 12_000, 6), 3, 20_700_000, 90, 5_040_000, 180, 6),
}
