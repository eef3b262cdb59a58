"""Commands that keep what is here in order: each parses, calls and prints."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli import output
from pipelines.cli.options import Json, examples
from pipelines.printable import printable
from pipelines.settings import load_settings

app = typer.Typer()


@app.command(epilog=examples("headrace purge acme-slack/random", "headrace purge acme-drive --yes"))
def purge(
    target: Annotated[str, typer.Argument(metavar="CONNECTION[/UNIT]")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    json: Json = False,
) -> None:
    """Remove all that is here of a connection or unit; one that the settings still name is read anew."""
    from pipelines.cli.commands.purge import purge_target

    purge_target(load_settings(), target, yes, json)


@app.command(epilog=examples("headrace prune --dry-run"))
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed")] = False,
    json: Json = False,
) -> None:
    """Remove now what `retention` in the settings no longer keeps; syncs and the worker do so bit by bit."""
    from pipelines.operations.prune import prune_now

    output.print_counts(prune_now(load_settings(), dry_run=dry_run).as_json(), json, would=dry_run)


@app.command(epilog=examples("headrace restore --dry-run"))
def restore(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is lost")] = False, json: Json = False
) -> None:
    """Let catalog, landing and index agree again after one of them was lost."""
    from pipelines.cli.commands.restore import restore_state

    restore_state(load_settings(), dry_run, json)


@app.command(epilog=examples("headrace pause acme-slack/incidents"))
def pause(target: Annotated[str, typer.Argument(metavar="CONNECTION[/UNIT]")]) -> None:
    """Read no content of a connection or unit, and keep its events for later. Units and memberships are still read."""
    _set_paused(target, True)


@app.command(epilog=examples("headrace resume acme-slack/incidents"))
def resume(target: Annotated[str, typer.Argument(metavar="CONNECTION[/UNIT]")]) -> None:
    """End a pause."""
    _set_paused(target, False)


def _set_paused(target: str, paused: bool) -> None:
    from pipelines.operations.pausing import set_paused

    name = set_paused(load_settings(), target, paused)
    print(f"{printable(name)} is {'paused' if paused else 'no longer paused'}")


@app.command(epilog=examples("headrace migrate"))
def migrate(
    to: Annotated[str | None, typer.Option(metavar="REVISION", help="Of the catalog; default: the newest")] = None,
    json: Json = False,
) -> None:
    """Make what is missing of catalog, landing and run history, or bring it to this version."""
    from pipelines.operations.migrate import migrate_all

    output.print_migration(migrate_all(load_settings(), to), json)
