"""The demo's live table."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipeline.cli.demo_observer import Picture


def render(picture: Picture) -> Group:
    """Positions, alerts and figures as they are in the database now."""
    return Group(_figures(picture), _places(picture), _alerts(picture))


def _figures(picture: Picture) -> Text:
    return Text(
        f"{picture.reads} reads ({picture.reads_per_s:.0f}/s) · {picture.positions} positions · "
        f"lag {picture.lag_s:.1f} s · median error {picture.median_error_m:.2f} m · "
        f"{picture.sessions_open} in use of {picture.sessions} sessions · late {picture.late} · "
        f"dead letters {picture.dead_letters}",
        style="bold",
    )


def _places(picture: Picture) -> Table:
    table = Table(title="Where equipment is", expand=False)
    for name in ("asset", "equipment", "floor", "room"):
        table.add_column(name)
    for name in ("x m", "y m", "± m"):
        table.add_column(name, justify="right")
    table.add_column("why")
    for tag, name, room, floor, x, y, accuracy, reason, moving in picture.places:
        style = "cyan" if moving else ""
        table.add_row(
            tag, name, floor, room, f"{x:.1f}", f"{y:.1f}", f"{accuracy:.1f}", reason, style=style
        )
    return table


def _alerts(picture: Picture) -> Table:
    table = Table(title=f"Open alerts: {len(picture.alerts)}")
    for name in ("severity", "asset", "zone", "for"):
        table.add_column(name)
    for severity, tag, zone, age in picture.alerts:
        table.add_row(severity, tag, zone, f"{age.total_seconds():.0f} s", style="red")
    return table
