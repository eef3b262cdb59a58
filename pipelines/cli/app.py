"""The commands, each a few lines: parse, call, print. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli import output
from pipelines.cli.commands import assistants, events, sign_ins
from pipelines.cli.options import DAYS, Json
from pipelines.cli.paging import Limit, Page, PageNumber
from pipelines.cli.progress import progress
from pipelines.cli.unit_names import UnitNames
from pipelines.errors import SettingsError
from pipelines.printable import printable
from pipelines.settings import Settings, load_settings

app = typer.Typer(
    name="headrace",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(assistants.app)
app.add_typer(events.app)
app.add_typer(sign_ins.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"headrace {version('headrace')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Carries a company's knowledge to its assistants."""


_PATIENCE = 60.0
"""Seconds for which a command waits for the catalog's database: as long as one takes to start anew."""


def _load_settings(level: int = logging.WARNING, *, patience: float = _PATIENCE) -> Settings:
    """The settings of a command that works for long; what it logs has their format from here on. A catalog that is away
    is waited for."""
    from pipelines.catalog.outage import await_database
    from pipelines.logs import to_standard_error

    settings = load_settings()
    to_standard_error(level, settings.logs.format)
    await_database(settings.catalog.url.get_secret_value(), patience)
    return settings


@app.command()
def check(json: Json = False) -> None:
    """Try the settings: credentials, reachability and scopes of every connection, embedding, index."""
    from connectors.contract import Finding
    from pipelines.operations.connection_checks import check_all

    try:
        settings = load_settings()
    except SettingsError as error:
        if not json:
            raise
        output.print_findings([Finding(path, False, reason) for path, reason in error.problems], json)
        raise typer.Exit(2) from None
    findings = check_all(settings)
    if settings.sign_in and settings.public_url:
        from pipelines.service.sign_in.provider import check_provider

        findings.append(check_provider(settings.sign_in, settings.public_url))
    output.print_findings(findings, json)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def units(
    connection: Annotated[str | None, typer.Argument()] = None,
    name: Annotated[
        str | None, typer.Option(help="Only those whose name or id is like this, with * for anything")
    ] = None,
    limit: Limit = None,
    page: PageNumber = 1,
    json: Json = False,
) -> None:
    """List the units (repositories, channels, drives, pages) that each connection sees now."""
    from pipelines.operations.status import list_units

    settings = load_settings()
    chosen = [settings.connection(connection)] if connection else list(settings.connections)
    found = [one for one in list_units(settings, chosen) if name is None or _is_like(one, name)]
    output.print_units(found, Page(limit, page), json)


def _is_like(unit: dict[str, Any], name: str) -> bool:
    return any(fnmatch(text.casefold(), name.casefold()) for text in (unit["name"], unit["id"]))


@app.command()
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

    settings = _load_settings(logging.INFO)
    chosen = parse_targets(settings, targets or [])
    with progress(json) as observer:
        options = SyncOptions(mode="full" if full else "changes", allow_mass_delete=allow_mass_delete)
        report = find_orchestrator().sync(settings, chosen, options, observer)
    output.print_report(report, json, UnitNames(settings))
    output.print_failed(read_failed(settings, [target.connection for target in chosen]), json)
    output.print_dead_letters(read_dead_letters(settings))
    raise typer.Exit(1 if report.errors else 0)


@app.command()
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

    settings = _load_settings()
    target = Target(settings.connection(connection).id, tuple(unit or ()))
    window = Window(*(day and day.replace(tzinfo=UTC) for day in (since, until))) if since or until else None
    expected = estimate(settings, target, window)
    output.print_estimate(expected, json, final=dry_run)
    if dry_run:
        return
    with progress(json) as observer:
        report = find_orchestrator().backfill(settings, target, window, observer=observer)
    report.embedding.add(expected.probed)
    output.print_report(report, json, UnitNames(settings))
    raise typer.Exit(1 if report.errors else 0)


@app.command()
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

    settings = _load_settings()
    targets = parse_targets(settings, connections or [])
    if dry_run:
        report = plan_reconcile(settings, targets)
        output.print_reconcile_plan(report, json, UnitNames(settings))
    else:
        with progress(json) as observer:
            options = SyncOptions(mode="reconcile", allow_mass_delete=allow_mass_delete)
            report = find_orchestrator().sync(settings, targets, options, observer)
        output.print_report(report, json, UnitNames(settings))
    raise typer.Exit(1 if report.errors else 0)


@app.command()
def reindex(
    model: Annotated[str | None, typer.Option(help="Embed with this model; default: the settings' model")] = None,
    json: Json = False,
) -> None:
    """Build the index for another model, from what was read before; assistants keep the old one until then."""
    from pipelines.ingestion.reindex import reindex as run_reindex
    from pipelines.ingestion.reindex import with_model
    from pipelines.services import Services

    settings = with_model(_load_settings(), model)
    with Services(settings, replace_index=True) as services, progress(json) as observer:
        report = run_reindex(services, observer)
    output.print_report(report, json, UnitNames(settings))
    if model and not json:
        print(f"the index is live with {model}; set embedding.model to it before the next sync")


@app.command()
def purge(
    target: Annotated[str, typer.Argument(metavar="CONNECTION[/UNIT]")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    json: Json = False,
) -> None:
    """Remove all that is here of a connection or unit; one that the settings still name is read anew."""
    from pipelines.cli.commands.purge import purge_target

    purge_target(load_settings(), target, yes, json)


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed")] = False,
    json: Json = False,
) -> None:
    """Remove now what `retention` in the settings no longer keeps; syncs and the worker do so bit by bit."""
    from pipelines.operations.prune import prune_now

    output.print_counts(prune_now(load_settings(), dry_run=dry_run).as_json(), json, would=dry_run)


@app.command()
def restore(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is lost")] = False, json: Json = False
) -> None:
    """Let catalog, landing and index agree again after one of them was lost."""
    from pipelines.cli.commands.restore import restore_state

    restore_state(load_settings(), dry_run, json)


@app.command()
def pause(target: Annotated[str, typer.Argument(metavar="CONNECTION[/UNIT]")]) -> None:
    """Read no content of a connection or unit, and keep its events for later. Units and memberships are still read."""
    _set_paused(target, True)


@app.command()
def resume(target: Annotated[str, typer.Argument(metavar="CONNECTION[/UNIT]")]) -> None:
    """End a pause."""
    _set_paused(target, False)


def _set_paused(target: str, paused: bool) -> None:
    from pipelines.operations.pausing import set_paused

    name = set_paused(load_settings(), target, paused)
    print(f"{printable(name)} is {'paused' if paused else 'no longer paused'}")


@app.command()
def migrate(
    to: Annotated[str | None, typer.Option(metavar="REVISION", help="Of the catalog; default: the newest")] = None,
    json: Json = False,
) -> None:
    """Make what is missing of catalog, landing and run history, or bring it to this version."""
    from pipelines.operations.migrate import migrate_all

    output.print_migration(migrate_all(load_settings(), to), json)


@app.command()
def status(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[CONNECTION[/UNIT]]...")] = None,
    limit: Limit = None,
    page: PageNumber = 1,
    json: Json = False,
) -> None:
    """What is indexed, skipped, failed and deleted, by connection and unit: first the units in trouble."""
    from pipelines.cli.status_output import print_status
    from pipelines.cli.targets import parse_targets
    from pipelines.operations.status import read_status

    settings = load_settings()
    chosen = parse_targets(settings, targets) if targets else None
    print_status(read_status(settings, chosen), Page(limit, page), json)


@app.command()
def search(
    query: str,
    user: Annotated[str | None, typer.Option(help="Search as this person (e-mail); default: an administrator")] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=1, max=100)] = 10,
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical")] = "hybrid",
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable")] = None,
    connection: Annotated[list[str] | None, typer.Option(help="Only this connection; repeatable")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit; repeatable")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; repeatable")] = None,
    author: Annotated[list[str] | None, typer.Option(help="Only by this author; repeatable")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; repeatable")] = None,
    updated_after: Annotated[datetime | None, typer.Option(formats=DAYS)] = None,
    updated_before: Annotated[datetime | None, typer.Option(formats=DAYS)] = None,
    json: Json = False,
) -> None:
    """Ask the index."""
    from pipelines.cli.commands.search import search_once

    filters: dict[str, Any] = {
        "sources": source,
        "connections": connection,
        "units": unit,
        "kinds": kind,
        "authors": author,
        "tags_in": tag,
        "updated_after": updated_after and updated_after.replace(tzinfo=UTC),
        "updated_before": updated_before and updated_before.replace(tzinfo=UTC),
    }
    request = {"query": query, "top_k": top_k, "user": user, "mode": mode}
    request["filters"] = {name: value for name, value in filters.items() if value}
    output.print_results(search_once(load_settings(), request), json)


@app.command(name="eval")
def evaluate(
    file: Annotated[Path, typer.Argument(help='A line for each question: {"query", "expected": [id or URL], "user"?}')],
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical")] = "hybrid",
    save: Annotated[Path | None, typer.Option(help="Keep the run in this file")] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with the run in this file")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report to this file")] = None,
    json: Json = False,
) -> None:
    """Measure how well questions find the documents that they should: nDCG@10, recall@10, MRR@10."""
    from pipelines.cli.commands.eval import EvalFiles, evaluate_file

    evaluate_file(load_settings(), EvalFiles(file, against, save, html), mode, json)


@app.command()
def explain(
    document: Annotated[str, typer.Argument(metavar="URL-or-ID")],
    user: Annotated[str | None, typer.Option(help="Whether this person (e-mail) sees it, and why")] = None,
    query: Annotated[str | None, typer.Option(help="Its rank for this question")] = None,
    json: Json = False,
) -> None:
    """Say where a document is, and why it is or is not found or visible."""
    from pipelines.cli.commands.explain import explain_document

    explain_document(load_settings(), document, user, query, json)


@app.command()
def worker() -> None:
    """Take the sources' events to the index as they come, until SIGINT or SIGTERM."""
    from pipelines.events.run import run_worker

    run_worker(_load_settings(patience=math.inf))


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8800,
) -> None:
    """Answer assistants over HTTP, with a search page at /."""
    from pipelines.service import serve as serve_http

    serve_http(_load_settings(patience=0.0), host, port)  # what it answers meanwhile is better than no answer


@app.command()
def demo(
    serve: Annotated[bool, typer.Option(help="Leave a server running at the end")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of that server")] = 8800,
) -> None:
    """Run everything on a sample company: no key, no account, no network."""
    from pipelines.cli.demo import run_demo

    run_demo(serve=serve, port=port)
