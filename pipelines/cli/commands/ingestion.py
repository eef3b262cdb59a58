"""Commands that read sources and build the index: each parses, calls and prints."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines.cli import output
from pipelines.cli.options import DAYS, Json, examples
from pipelines.cli.progress import progress
from pipelines.cli.reported_units import ReportedUnits
from pipelines.cli.settings import load_for_long

app = typer.Typer()


@app.command(
    epilog=examples("headrace sync", "headrace sync acme-slack/general acme-github", "headrace sync acme-notion --full")
)
def sync(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[CONNECTION[/UNIT]]...")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, and remove what is gone")] = False,
    allow_mass_delete: Annotated[
        bool, typer.Option("--allow-mass-delete", help="With --full: even if more than a tenth of a unit goes")
    ] = False,
    json: Json = False,
) -> None:
    """Read what changed, and bring the index up to date."""
    from pipelines.cli.targets import parse_targets
    from pipelines.ingestion.options import SyncOptions
    from pipelines.ingestion.orchestrator import find_orchestrator
    from pipelines.operations.failed_objects import read_failed
    from pipelines.operations.health import read_dead_letters
    from pipelines.operations.unit_patterns import read_idle_includes

    settings = load_for_long(logging.INFO)
    chosen = parse_targets(settings, targets or [])
    with progress(json) as observer:
        options = SyncOptions(mode="full" if full else "changes", allow_mass_delete=allow_mass_delete)
        report = find_orchestrator().sync(settings, chosen, options, observer)
    output.print_report(report, json, ReportedUnits(settings))
    output.print_failed(read_failed(settings, [target.connection for target in chosen]), json)
    output.print_idle(read_idle_includes(settings, [target.connection for target in chosen]))
    output.print_dead_letters(read_dead_letters(settings))
    raise typer.Exit(1 if report.errors else 0)


@app.command(
    epilog=examples(
        "headrace backfill acme-slack --since 2026-01-01 --dry-run",
        "headrace backfill acme-github --unit acme/api --since 2026-01-01 --until 2026-03-31",
    )
)
def backfill(
    connection: str,
    unit: Annotated[list[str] | None, typer.Option("--unit", help="A unit; repeatable. Default: all")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAYS, help="Updated at or after (UTC)")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAYS, help="Updated before (UTC)")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take")] = False,
    json: Json = False,
) -> None:
    """Process a period, or everything, again: one Dagster partition per unit."""
    from connectors.contract import Window
    from pipelines.ingestion.options import Target
    from pipelines.ingestion.orchestrator import find_orchestrator
    from pipelines.operations.estimate import estimate

    settings = load_for_long()
    target = Target(settings.connection(connection).id, tuple(unit or ()))
    window = Window(*(day and day.replace(tzinfo=UTC) for day in (since, until))) if since or until else None
    expected = estimate(settings, target, window)
    output.print_estimate(expected, json, final=dry_run)
    if dry_run:
        return
    with progress(json) as observer:
        report = find_orchestrator().backfill(settings, target, window, observer=observer)
    report.embedding.add(expected.probed)
    output.print_report(report, json, ReportedUnits(settings))
    raise typer.Exit(1 if report.errors else 0)


@app.command(epilog=examples("headrace reconcile --dry-run", "headrace reconcile acme-drive"))
def reconcile(
    connections: Annotated[list[str] | None, typer.Argument(metavar="[CONNECTION]...")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be read and removed")] = False,
    allow_mass_delete: Annotated[
        bool, typer.Option("--allow-mass-delete", help="Even if more than a tenth of a unit goes")
    ] = False,
    json: Json = False,
) -> None:
    """Compare the sources' complete listings with the catalog: read what was missed, remove what is gone."""
    from pipelines.cli.targets import parse_targets
    from pipelines.ingestion.options import SyncOptions
    from pipelines.ingestion.orchestrator import find_orchestrator
    from pipelines.ingestion.sync import plan_reconcile

    settings = load_for_long()
    targets = parse_targets(settings, connections or [])
    if dry_run:
        report = plan_reconcile(settings, targets)
        output.print_reconcile_plan(report, json, ReportedUnits(settings))
    else:
        with progress(json) as observer:
            options = SyncOptions(mode="reconcile", allow_mass_delete=allow_mass_delete)
            report = find_orchestrator().sync(settings, targets, options, observer)
        output.print_report(report, json, ReportedUnits(settings))
    raise typer.Exit(1 if report.errors else 0)


@app.command(epilog=examples("headrace reindex", "headrace reindex --model text-embedding-3-large"))
def reindex(
    model: Annotated[str | None, typer.Option(help="Embed with this model; default: the settings' model")] = None,
    json: Json = False,
) -> None:
    """Build the index for another model, from what was read before; assistants keep the old one until then."""
    from pipelines.ingestion.reindex import reindex as run_reindex
    from pipelines.ingestion.reindex import with_model
    from pipelines.services import Services

    settings = with_model(load_for_long(), model)
    with Services(settings, replace_index=True) as services, progress(json) as observer:
        report = run_reindex(services, observer)
    output.print_report(report, json, ReportedUnits(settings))
    if model and not json:
        print(f"the index is live with {model}; set embedding.model to it before the next sync")
