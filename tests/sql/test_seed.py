"""The small form of the seed: it loads, it is whole, it is the same every time."""

from __future__ import annotations


def test_an_analyst_sees_its_own_organization(seeded):
    for connection, own in ((seeded.a, seeded.meridian), (seeded.b, seeded.rheintal)):
        assert connection.execute("select code from registry.organization").fetchall() == [
            (own.code,)
        ]
        [(assets,)] = connection.execute("select count(*) from registry.asset").fetchall()
        assert assets == len(own.assets)


def test_become_sees_what_was_written(seeded):
    seeded.superuser.execute(
        "update registry.asset set name = 'changed' where id = %s", (seeded.meridian.assets[0].id,)
    )
    with seeded.become(seeded.meridian) as analyst:
        found = analyst.execute("select count(*) from registry.asset where name = 'changed'")
        assert found.fetchone() == (1,)
    with seeded.become(seeded.rheintal) as analyst:
        found = analyst.execute("select count(*) from registry.asset where name = 'changed'")
        assert found.fetchone() == (0,)
