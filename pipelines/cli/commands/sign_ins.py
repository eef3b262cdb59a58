"""`headrace sign-ins`: who is signed in, through which client, and how that is ended."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.audit import audit
from pipelines.cli import output
from pipelines.cli.options import Json, examples, parse_address
from pipelines.cli.tables import print_table
from pipelines.errors import UsageError
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from pipelines.catalog.grants import Grant

app = typer.Typer(name="sign-ins", help="Who is signed in, and through which client.", no_args_is_help=True)

_SHOWN = ("id", "person", "client", "client_name", "created_at", "used_at", "expires_at")


@app.command("list", epilog=examples("headrace sign-ins list"))
def list_all(json: Json = False) -> None:
    """List the sign-ins in force: of the search page, and of clients that people have let in."""
    from pipelines.catalog import open_catalog

    with open_catalog(load_settings()) as catalog:
        grants = catalog.grants.all(datetime.now(UTC))
    if json:
        output.print_json({"sign_ins": [_row(one) for one in grants]})
        return
    rows = [
        {
            "id": one.id,
            "person": one.person,
            "client": one.client_name,
            "since": f"{one.created_at:%Y-%m-%d %H:%M}",
            "until": f"{one.expires_at:%Y-%m-%d %H:%M}",
        }
        for one in grants
    ]
    print_table(("id", "person", "client", "since", "until"), rows)


@app.command(epilog=examples("headrace sign-ins revoke --for ada@acme.com"))
def revoke(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="As `headrace sign-ins list` shows it")] = None,
    person: Annotated[str | None, typer.Option("--for", help="All of this person (e-mail)")] = None,
    json: Json = False,
) -> None:
    """End a sign-in, or all of a person. A running service refuses its tokens from the next request on."""
    from pipelines.catalog import open_catalog

    if (id is None) == (person is None):
        raise UsageError("name one sign-in by its ID, or all of a person by --for")
    with open_catalog(load_settings()) as catalog:
        ended = catalog.grants.revoke(id) if id else catalog.grants.revoke_all(parse_address(person or "", "--for"))
    if not ended:
        raise UsageError("there is no such sign-in; `headrace sign-ins list` names them")
    for one in ended:
        audit("grant_revoked", person=one.person, client=one.client, grant=one.id, reason="by command")
    if json:
        output.print_json({"revoked": [_row(one) for one in ended]})
    else:
        print(f"{len(ended)} ended")


def _row(grant: Grant) -> dict[str, object]:
    return {name: value for name, value in asdict(grant).items() if name in _SHOWN}
