"""A few changes as people make them, each on somebody's behalf: the trail has before and after.

They happen when the seed is made, not in its history: `updated_at` and the trail carry that time.
"""

from __future__ import annotations

from typing import Any

import psycopg

from pipeline.seed.model import Asset, World

EVERY = 50
"""One asset of so many is changed."""


def make(connection: psycopg.Connection[Any], world: World) -> None:
    """A software update entered by the custodian; every fourth is taken for a repair as well."""
    for organization in world.organizations:
        changed = [a for a in organization.assets if a.number % EVERY == 9 and a.retired is None]
        for number, asset in enumerate(changed[:100]):
            with connection.transaction():
                _on_behalf(connection, asset)
                connection.execute("set local role biotrakr_app")
                connection.execute(
                    "update registry.asset set software_version = '4.3.0' where id = %s",
                    (asset.id,),
                )
                if number % 4 == 0:
                    connection.execute(
                        "update registry.asset set notes = 'Battery replaced' where id = %s",
                        (asset.id,),
                    )


def _on_behalf(connection: psycopg.Connection[Any], asset: Asset) -> None:
    for name, value in (
        ("app.org_id", asset.organization.id),
        ("app.user_id", asset.custodian.id),
        ("app.reason", "software update"),
    ):
        connection.execute("select set_config(%s, %s, true)", (name, str(value)))
