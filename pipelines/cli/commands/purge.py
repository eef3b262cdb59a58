"""`headrace purge`: asks before it removes, and says what was removed."""

from __future__ import annotations

import sys

import typer

from pipelines.cli import output
from pipelines.errors import UsageError
from pipelines.operations.purge import PurgeScope, find_scope, purge
from pipelines.printable import printable
from pipelines.services import Services
from pipelines.settings import Settings


def purge_target(settings: Settings, target: str, yes: bool, json: bool) -> None:
    """Purge and print. Raises UsageError where nobody can be asked, and UnitBusy."""
    with Services(settings) as services:
        scope = find_scope(services, target)
        if not yes:
            _confirm(scope)
        purged = purge(services, scope)
    counts = purged.as_json()
    held = counts.pop("held")
    output.print_counts(counts, json)
    if held:
        print(
            f"error: {printable(scope.name)}: nobody finds it any more, but the index could not be published "
            f"({printable('; '.join(held))}); run this again once it is, to remove it from the catalog",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def _confirm(scope: PurgeScope) -> None:
    what = f"{printable(scope.name)}: {scope.documents} documents in {len(scope.units)} units"
    if not sys.stdin.isatty():
        raise UsageError(f"{what} would be removed for good; add --yes where nobody can be asked")
    typer.confirm(f"Remove for good all that is here of {what}?", abort=True, err=True)
