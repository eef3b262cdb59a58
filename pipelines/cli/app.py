"""The command line's root, and the commands that say what there is. Each command is a few lines: parse, call, print.
Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import time
from fnmatch import fnmatch
from importlib.metadata import version
from typing import Annotated, Any

import typer

from pipelines.cli import output
from pipelines.cli.commands import assistants, events, ingestion, init, questions, services, sign_ins, upkeep
from pipelines.cli.options import Json, examples
from pipelines.cli.paging import Limit, Page, PageNumber
from pipelines.errors import SettingsError
from pipelines.settings import load_settings

_SECONDS_BETWEEN_LOOKS = 2.0

app = typer.Typer(
    name="headrace",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


@app.command(epilog=examples("headrace check", "headrace check --json"))
def check(json: Json = False) -> None:
    """Try the settings: credentials, reachability and scopes of every connection, embedding, index."""
    from connectors.contract import Finding
    from pipelines.operations.connection_checks import check_all

    try:
        settings = load_settings()
        findings = check_all(settings)
    except SettingsError as error:
        if not json:
            raise
        output.print_findings([Finding(path, False, reason) for path, reason in error.problems], json)
        raise typer.Exit(2) from None
    if settings.sign_in and settings.public_url:
        from pipelines.service.sign_in.provider import check_provider

        findings.append(check_provider(settings.sign_in, settings.public_url))
    output.print_findings(findings, json)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command(
    epilog=examples(
        "headrace units", 'headrace units acme-github --name "acme/*"', "headrace units --limit 500 --page 2"
    )
)
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
    from pipelines.operations.unit_patterns import read_idle_includes

    settings = load_settings()
    chosen = [settings.connection(connection)] if connection else list(settings.connections)
    found = [one for one in list_units(settings, chosen) if name is None or _is_like(one, name)]
    output.print_units(found, Page(limit, page), json)
    output.print_idle(read_idle_includes(settings, [one.id for one in chosen]))


def _is_like(unit: dict[str, Any], name: str) -> bool:
    return any(fnmatch(text.casefold(), name.casefold()) for text in (unit["name"], unit["id"]))


@app.command(epilog=examples("headrace status", "headrace status acme-slack/general", "headrace status --watch"))
def status(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[CONNECTION[/UNIT]]...")] = None,
    limit: Limit = None,
    page: PageNumber = 1,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C")] = False,
    json: Json = False,
) -> None:
    """What is indexed, skipped, failed and deleted, by connection and unit: first the units in trouble."""
    from pipelines.cli.status_output import print_status
    from pipelines.cli.targets import parse_targets
    from pipelines.operations.status import read_status

    settings = load_settings()
    chosen = parse_targets(settings, targets) if targets else None
    while True:
        now = read_status(settings, chosen)
        if watch and not json:
            output.open_console().clear()
        print_status(now, Page(limit, page), json)
        if not watch:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)


@app.command(epilog=examples("headrace demo", "headrace demo --no-serve"))
def demo(
    serve: Annotated[bool, typer.Option(help="Leave a server running at the end")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of that server")] = 8800,
) -> None:
    """Run everything on a sample company: no key, no account, no network."""
    from pipelines.cli.demo import run_demo

    run_demo(serve=serve, port=port)


for _commands in (init, ingestion, questions, upkeep, services, assistants, events, sign_ins):
    app.add_typer(_commands.app)
