from __future__ import annotations

import pytest

from pipeline.database import ConnectionFailed, connect
from pipeline.database.connect import safe_name
from pipeline.database.testing import DatabaseServer

SECRET = "s3cret-w0rd"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (f"postgresql://me:{SECRET}@127.0.0.1:1/x", "no connection to me@127.0.0.1:1/x: "),
        (f"postgresql://me:{SECRET}@127.0.0.1:1:2/x", "invalid integer value"),
        (f"postgresql://me:pre@{SECRET}@127.0.0.1:1/x", "write @ in the user or password as %40"),
        (f"host=127.0.0.1 port=1 password={SECRET} nonsense", "the address cannot be read"),
        (f"postgresql://me:{SECRET}@127.0.0.1:1/x?nonsense=1", "the address cannot be read"),
    ],
)
def test_errors_are_clear_and_never_hold_the_password(url: str, text: str) -> None:
    with pytest.raises(ConnectionFailed, match=text) as caught:
        connect(url)
    shown = str(caught.value) + repr(caught.value) + repr(caught.value.__cause__)
    assert SECRET not in shown
    context = caught.value.__context__
    assert context is None or caught.value.__suppress_context__


def test_a_wrong_password_is_not_shown(server: DatabaseServer) -> None:
    url = server.url_of("postgres", user="postgres", password=SECRET)
    with pytest.raises(ConnectionFailed, match="password authentication failed") as caught:
        connect(url)
    assert SECRET not in str(caught.value)


def test_the_safe_name_has_no_password() -> None:
    url = f"postgresql://me:{SECRET}@db.example:6543/biotrakr?sslmode=require"
    assert safe_name(url) == "me@db.example:6543/biotrakr"


def test_a_connection_has_the_projects_habits(server: DatabaseServer) -> None:
    with connect(
        server.url_of("postgres"),
        application_name="biotrakr sink",
        statement_timeout_s=1.5,
        lock_timeout_s=2,
        idle_in_transaction_timeout_s=3,
    ) as connection:
        assert connection.autocommit
        settings = "application_name", "statement_timeout", "lock_timeout"
        shown = [connection.execute(f"show {name}".encode()).fetchone() for name in settings]
        assert shown == [("biotrakr sink",), ("1500ms",), ("2s",)]


def test_what_the_address_says_wins(server: DatabaseServer) -> None:
    url = server.url_of("postgres") + "?application_name=mine"
    with connect(url) as connection:
        assert connection.execute("show application_name").fetchone() == ("mine",)


def test_a_role_is_taken_or_refused(server: DatabaseServer) -> None:
    url = server.url_of("postgres")
    with connect(url, role="pg_monitor") as connection:
        assert connection.execute("select current_user").fetchone() == ("pg_monitor",)
    with pytest.raises(ConnectionFailed, match='role "nobody_here" does not exist'):
        connect(url, role="nobody_here")
