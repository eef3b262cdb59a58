"""Commands that ask the index, and ask about it: each parses, calls and prints."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli import output
from pipelines.cli.options import DAYS, Json, examples
from pipelines.settings import load_settings

app = typer.Typer()


@app.command(
    epilog=examples(
        'headrace search "how do we roll back firmware?"',
        'headrace search "board price" --user ada@acme.com --source drive --top-k 5',
        "headrace search INC-34 --mode lexical --updated-after 2026-01-01",
    )
)
def search(
    query: str,
    user: Annotated[str | None, typer.Option(help="Search as this person (e-mail); default: an administrator")] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=1, max=100, help="Documents to show at most")] = 10,
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical")] = "hybrid",
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable")] = None,
    connection: Annotated[list[str] | None, typer.Option(help="Only this connection; repeatable")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit; repeatable")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; repeatable")] = None,
    author: Annotated[list[str] | None, typer.Option(help="Only by this author; repeatable")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; repeatable")] = None,
    updated_after: Annotated[datetime | None, typer.Option(formats=DAYS, help="Changed then or later; UTC")] = None,
    updated_before: Annotated[datetime | None, typer.Option(formats=DAYS, help="Changed before; UTC")] = None,
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


@app.command(
    name="eval",
    epilog=examples(
        "headrace eval golden.jsonl --save before.json",
        "headrace eval golden.jsonl --against before.json --html report.html",
        "headrace eval golden.jsonl --from-feedback",
    ),
)
def evaluate(
    file: Annotated[Path, typer.Argument(help='A line for each question: {"query", "expected": [id or URL], "user"?}')],
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical")] = "hybrid",
    save: Annotated[Path | None, typer.Option(help="Keep the run in this file")] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with the run in this file")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report to this file")] = None,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="First add what people have found good to the file")
    ] = False,
    json: Json = False,
) -> None:
    """Measure how well questions find the documents that they should: nDCG@10, recall@10, MRR@10."""
    from pipelines.cli.commands.eval import EvalFiles, evaluate_file

    evaluate_file(load_settings(), EvalFiles(file, against, save, html), mode, json, from_feedback=from_feedback)


@app.command(
    epilog=examples(
        "headrace explain https://github.com/acme/api/pull/14/files",
        "headrace explain https://acme.slack.com/archives/C1A/p1700000000000100 --user ada@acme.com",
        'headrace explain github:acme/77/issues/3 --query "roll back"',
    )
)
def explain(
    document: Annotated[str, typer.Argument(metavar="URL-or-ID")],
    user: Annotated[str | None, typer.Option(help="Whether this person (e-mail) sees it, and why")] = None,
    query: Annotated[str | None, typer.Option(help="Its rank for this question")] = None,
    json: Json = False,
) -> None:
    """Say where a document is, and why it is or is not found or visible."""
    from pipelines.cli.commands.explain import explain_document

    explain_document(load_settings(), document, user, query, json)
