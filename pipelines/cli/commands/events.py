"""`headrace events`: the inbox listed, shown and replayed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines.cli import output
from pipelines.cli.options import DAYS, Json
from pipelines.printable import printable_lines
from pipelines.settings import load_settings

app = typer.Typer(name="events", help="The inbox: events of the sources' webhooks.", no_args_is_help=True)


@app.command(name="list")
def list_(
    connection: Annotated[str | None, typer.Argument(help="Only events of this connection")] = None,
    state: Annotated[str | None, typer.Option(help="pending, done, ignored or dead")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: Json = False,
) -> None:
    """The newest events, and what each led to."""
    from pipelines.events.admin import list_events

    output.print_events(list_events(load_settings(), connection, state, limit), json)


@app.command(name="show")
def show(event_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Print a delivery as it came, such as the verification token that a source may send once."""
    from pipelines.events.admin import read_body

    print(printable_lines(read_body(load_settings(), event_id)))


@app.command()
def replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
    connection: Annotated[str | None, typer.Option(help="All events of this connection")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAYS, help="That came at or after (UTC)")] = None,
    json: Json = False,
) -> None:
    """Process events once more, dead letters included."""
    from pipelines.events.admin import replay_events

    count = replay_events(load_settings(), ids or (), connection, since and since.replace(tzinfo=UTC))
    output.print_json({"replayed": count}) if json else print(f"{count} events are pending again")
