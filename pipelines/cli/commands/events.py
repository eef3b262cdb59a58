"""`headrace events`: the inbox listed, shown and replayed, and webhooks set up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines.cli import output
from pipelines.cli.options import DAYS, Json, examples
from pipelines.printable import printable_lines
from pipelines.settings import load_settings

_NEXT_STEPS = """{secret}

1. Paste it where the source asks for it. If it is refused there, somebody else has sent it: run this command again.
2. Once it is accepted, set it as `webhook_secret` of {connection} in the settings, and start `headrace serve` anew."""

app = typer.Typer(name="events", help="The inbox: events of the sources' webhooks.", no_args_is_help=True)


@app.command(name="list", epilog=examples("headrace events list acme-slack", "headrace events list --state dead"))
def list_(
    connection: Annotated[str | None, typer.Argument(help="Only events of this connection")] = None,
    state: Annotated[str | None, typer.Option(help="pending, done, ignored or dead")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first")] = 50,
    json: Json = False,
) -> None:
    """The newest events, and what each led to."""
    from pipelines.events.admin import list_events

    output.print_events(list_events(load_settings(), connection, state, limit), json)


@app.command(name="show", epilog=examples("headrace events show 41"))
def show(event_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Print what an event has been through, and then the delivery as it came."""
    from pipelines.events.admin import read_event

    event = read_event(load_settings(), event_id)
    print(printable_lines("\n".join([*event.lines, "", event.body])))


@app.command(epilog=examples("headrace events verify acme-notion"))
def verify(connection: Annotated[str, typer.Argument()], json: Json = False) -> None:
    """Wait for the secret that a source sends once to the address of its webhooks, and print it."""
    from pipelines.events.verification import OfferedSecret, wait_for_secret

    def print_window(url: str, ends_at: datetime) -> None:
        if not json:
            print(f"waiting until {ends_at:%H:%M} UTC: let {connection} send its verification to {url} now", flush=True)

    offered: OfferedSecret = wait_for_secret(load_settings(), connection, print_window)
    output.print_json(asdict(offered)) if json else print(_NEXT_STEPS.format(**asdict(offered)))


@app.command(
    epilog=examples("headrace events replay 41 42", "headrace events replay --connection acme-slack --since 2026-03-01")
)
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
