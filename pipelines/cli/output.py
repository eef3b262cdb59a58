"""How commands print: tables and bars for people, one JSON object as the last line for programs."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from connectors.contract import Finding
from pipelines.cli.paging import Page
from pipelines.cli.refused_parts import RefusedPart, refused_lines
from pipelines.cli.tables import print_table
from pipelines.ingestion.report import SAID_BY_UNIT, SyncReport
from pipelines.printable import printable, printable_json

if TYPE_CHECKING:
    from pipelines.catalog import Migration
    from pipelines.operations.estimate import Estimate
    from pipelines.operations.incidents import Incident
    from pipelines.retrieval.schema import DocumentResult, SearchResponse


def print_json(value: Any) -> None:
    print(printable_json(json_module.dumps(value, ensure_ascii=False, default=str)), flush=True)


def plain(text: object) -> str:
    """Text from elsewhere for rich: its control characters do nothing and can be seen, its brackets are no markup."""
    return escape(printable(text))


def print_findings(found: Sequence[Finding], json: bool) -> None:
    if json:
        print_json({"findings": [_finding(one) for one in found]})
        return
    for one in found:
        mark = "[green]ok[/]  " if one.ok else "[red]fail[/]"
        lost = f"; without it, {one.lost}" if one.lost else ""
        grant = f"; grant {one.permission}" if one.permission else ""
        open_console().print(f"{mark}  {plain(one.subject)}: {plain(one.detail + lost + grant)}", soft_wrap=True)


def _finding(found: Finding) -> dict[str, Any]:
    more = {"lost": found.lost, "permission": found.permission}
    return {"subject": found.subject, "ok": found.ok, "detail": found.detail} | {k: v for k, v in more.items() if v}


def print_counts(counts: Mapping[str, int], json: bool, *, would: bool = False) -> None:
    """What was removed, or would be."""
    if json:
        print_json(counts)
        return
    be = "would be " if would else ""
    said = {
        "united": f"small loads {be}united",
        "united_into": f"loads {be}made of them",
        "busy": "loads left to other processes",
    }
    for name, count in counts.items():
        print(f"{count:>8}  {said.get(name) or f'{be}removed: ' + name.replace('_', ' ')}")


def print_migration(migration: Migration, json: bool) -> None:
    if json:
        print_json({"catalog": {"before": migration.before, "after": migration.after}})
    elif migration.before == migration.after:
        print(f"the catalog was at revision {migration.after} already")
    else:
        came = f"went from revision {migration.before} to" if migration.before else "was made at revision"
        print(f"the catalog {came} {migration.after}")


def print_units(found: Sequence[dict[str, Any]], page: Page, json: bool) -> None:
    shown = page.of(found, json)
    if json:
        print_json({"units": shown, "total": len(found)})
        return
    print_table(("connection", "id", "name", "url", "paused"), shown)
    print_rest(page, len(found), "units")


def print_rest(page: Page, total: int, what: str) -> None:
    """What a page leaves out, and how to see it."""
    if rest := page.rest(total):
        print(f"{rest} more {what} of {total}: --page {page.number + 1}, or --limit")


def print_report(done: SyncReport, json: bool, name_of: Callable[[str], str] = str) -> None:
    """`name_of` gives the name of a unit by its connection and id."""
    if json:
        print_json(done.as_json())
        return
    console = open_console()
    for name, figures in done.as_json().items():
        if isinstance(figures, dict) and name not in SAID_BY_UNIT:
            line = "  ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
            console.print(f"[bold]{name:<10}[/] {plain(line)}", soft_wrap=True)
    console.print(f"[bold]{'seconds':<10}[/] {done.seconds:.1f}")
    _print_failures(done, name_of)


def print_dead_letters(found: Sequence[Incident]) -> None:
    """On standard error: they are not of this sync."""
    for one in found:
        print(f"trouble  {printable(one.line)}", file=sys.stderr)


def print_idle(found: Sequence[str]) -> None:
    """Patterns that take in no unit, on standard error: they are of the settings."""
    for line in found:
        print(f"idle  {printable(line)}", file=sys.stderr)


def print_failed(found: Mapping[str, str], json: bool) -> None:
    """Objects that have failed, by connection. They are of the ledger, and not of this sync alone."""
    for connection, said in found.items():
        line = f"failed     {connection}: {said}"
        print(printable(line), file=sys.stderr if json else sys.stdout, flush=True)


def print_reconcile_plan(found: SyncReport, json: bool, name_of: Callable[[str], str] = str) -> None:
    """What a reconcile would do."""
    if json:
        print_json(found.as_json())
        return
    console = open_console()
    for what, ids in (("read", found.would_read), ("delete", found.would_delete)):
        for document_id in ids:
            console.print(f"would {what}  {plain(document_id)}", highlight=False, soft_wrap=True)
    console.print(f"{len(found.would_read)} to read, {len(found.would_delete)} to delete", highlight=False)
    _print_failures(found, name_of)


def print_events(found: Sequence[dict[str, Any]], json: bool) -> None:
    if json:
        print_json({"events": found})
        return
    rows = [
        {
            **event,
            "received": readable(event["received_at"]),
            "led to": ", ".join(f"{one['asset']} {one['partition']}" for one in event["materializations"] or ()),
        }
        for event in found
    ]
    print_table(("id", "connection", "kind", "state", "attempts", "received", "reason", "led to"), rows)


def _print_failures(done: SyncReport, name_of: Callable[[str], str]) -> None:
    lines = [
        *(f"skipped  {name_of(unit)}: {said}" for unit, said in done.busy.items()),
        *(f"hidden  {name_of(unit)}: {reason}" for unit, reason in done.out_of_reach.items()),
        *(f"waiting  {connection}: {said}" for connection, said in done.waiting.items()),
        *refused_lines(
            RefusedPart("refused", part, name_of(unit), reason)
            for unit, reasons in done.refused.items()
            for part, reason in reasons.items()
        ),
        *(f"failed  {name_of(unit)}: {error}" for unit, error in done.errors.items()),
    ]
    for line in lines:
        print(printable(line), flush=True)


def print_estimate(expected: Estimate, json: bool, *, final: bool) -> None:
    if json and final:
        print_json(expected.as_json())
        return
    Console(stderr=json).print(
        f"about {expected.documents} documents, {expected.inputs} texts to embed, {expected.tokens} tokens, "
        f"${expected.cost_usd:.4f}, {expected.seconds:.0f} s",
        highlight=False,
        soft_wrap=True,
    )
    if expected.beyond_budget:
        Console(stderr=json).print(expected.beyond_budget, highlight=False, markup=False, soft_wrap=True)


def print_results(found: SearchResponse, json: bool) -> None:
    if json:
        print(printable_json(found.model_dump_json()), flush=True)
        return
    console = open_console()
    for rank, result in enumerate(found.results, start=1):
        console.print(f"[bold]{rank}. {plain(result.title)}[/]  [dim]{plain(_place(result))}[/]")
        console.print(f"   [blue]{plain(result.url)}[/]", soft_wrap=True)
        excerpt = " ".join(result.chunks[0].text.split())[:240] if result.chunks else ""
        place = f"page {result.chunks[0].page}: " if result.chunks and result.chunks[0].page else ""
        console.print(f"   {place}{plain(excerpt)}", highlight=False)
    console.print(f"[dim]{len(found.results)} documents in {found.took_ms:.0f} ms[/]", highlight=False)
    for warning in found.warnings:
        print(f"warning: {printable(warning)}", file=sys.stderr)


def _place(result: DocumentResult) -> str:
    """Where a document is, by whom, and of when, in names."""
    day = f"{result.updated_at:%Y-%m-%d}" if result.updated_at else ""
    above = " > ".join(result.breadcrumb) or result.unit_name
    return " · ".join(filter(None, (result.source, result.kind, above, result.author, day)))


def readable(moment: str | None) -> str:
    """An ISO time to the minute (UTC)."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}" if moment else "never"


def open_console() -> Console:
    """Lines are broken for people at a terminal, and nowhere else."""
    return Console(emoji=False, soft_wrap=not sys.stdout.isatty())
