"""`biotrakr audit verify`: check the audit trail of every organization.

Exit status: 0 it is whole, 1 it was changed. The head it prints, kept where the database's
administrators cannot write (paper will do), later proves everything up to it: give it as --head.
"""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.errors import CliError
from pipeline.cli.migrate import database_url
from pipeline.database.audit import Chain, verify
from pipeline.database.connect import connect

SHOWN = 20
"""Problems of one organization that are printed; the rest are counted."""


def register(commands: Any) -> None:
    parser = commands.add_parser("audit", help="check the audit trail", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("verify", help="find changed, removed and inserted rows")
    check.add_argument("--database-url", help="default: BIOTRAKR_DATABASE_URL")
    check.add_argument("--organization", metavar="CODE", help="default: all of them")
    check.add_argument(
        "--head", metavar="ROW:HASH", help="as printed earlier for this organization"
    )
    check.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    if options.head and not options.organization:
        raise CliError("--head is one organization's: give --organization too")
    with connect(database_url(options), application_name="biotrakr audit verify") as connection:
        try:
            chains = verify(connection, options.organization)
        except LookupError as error:
            raise CliError(str(error.args[0])) from None
        for chain in chains:
            _report(chain)
        broken = any(chain.problems for chain in chains)
        if options.head and not _reaches(connection, options.organization, options.head):
            broken = True
    return 1 if broken else 0


def _report(chain: Chain) -> None:
    if not chain.problems:
        head = f", head {chain.rows}:{chain.head}" if chain.rows else ""
        print(f"{chain.organization}: {chain.rows} rows, whole{head}")
        return
    print(f"{chain.organization}: {chain.rows} rows, {len(chain.problems)} problem(s)")
    for one in chain.problems[:SHOWN]:
        print(f"  {one.where}: {one.problem}")
    if len(chain.problems) > SHOWN:
        print(f"  and {len(chain.problems) - SHOWN} more")


def _reaches(connection: Any, organization: str, head: str) -> bool:
    row, _, digest = head.partition(":")
    if not row.isdigit() or not digest:
        raise CliError("--head has the form ROW:HASH, as `biotrakr audit verify` prints it")
    found = connection.execute(
        "select encode(log.hash, 'hex') from audit.log "
        "join registry.organization on organization.id = log.organization_id "
        "where organization.code = %s and log.sequence = %s",
        (organization, int(row)),
    ).fetchone()
    if found == (digest.lower(),):
        print(f"{organization}: the trail still holds row {row} as it was noted")
        return True
    print(f"{organization}: row {row} is not the one that was noted; the trail was written anew")
    return False
