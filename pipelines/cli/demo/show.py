"""`headrace demo`: what it does, as a person sees it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from rich.console import Console

from pipelines.cli.demo.questions import ENGINEER, QUESTIONS, RIGHTS_ASKED_BY, RIGHTS_QUESTION, DemoQuestion
from pipelines.cli.demo.settings import DIRECTORY, demo_settings
from pipelines.cli.demo.sources import serve_company
from pipelines.cli.output import plain
from pipelines.cli.progress import progress, summary
from pipelines.errors import HeadraceError
from pipelines.ingestion.options import Target
from pipelines.ingestion.orchestrator import find_orchestrator
from pipelines.operations.status import read_status
from pipelines.ports import require_free
from pipelines.retrieval.schema import DocumentResult
from pipelines.settings import DEMO_KEY, Settings

_HOST = "127.0.0.1"
FOUND_WITHIN = 3
"""A question counts as answered if its document is among the first three."""


def run_demo(*, serve: bool, port: int) -> None:
    """Serve a sample company, sync it, ask it questions, and leave a server running (or not).

    Raises UsageError if the port is taken, HeadraceError if a sync fails or an answer is missing.
    """
    console = Console(highlight=False)
    if serve:
        require_free(_HOST, port)
    with serve_company(DIRECTORY) as url:
        settings = demo_settings(url)
        console.print("[bold]1. Four sources[/] of a sample company, Notion, Drive, GitHub and Slack, are served")
        console.print(f"   at {url}")
        console.print("[bold]2. Sync[/]: read, chunk, embed and index, as Dagster runs")
        _sync(console, settings)
        _flow(console, settings)
        _ask_all(console, settings)
        if serve:
            _serve(console, settings, port)
        else:
            console.print(
                "[bold]6. Ask it yourself[/]: `headrace demo` does the same again and leaves a server running"
            )


def _sync(console: Console, settings: Settings) -> None:
    with progress(json=False) as observer:
        targets = [Target(connection.id) for connection in settings.connections]
        report = find_orchestrator().sync(settings, targets, observer=observer)
    requests = sum(report.requests.values())
    console.print(f"   in all: {summary(report)}, {requests} requests to the sources", soft_wrap=True)
    if report.errors:
        raise HeadraceError("; ".join(f"{unit}: {error}" for unit, error in report.errors.items()))


def _flow(console: Console, settings: Settings) -> None:
    now = read_status(settings)
    console.print("[bold]3. What flowed[/]")
    for connection in now["connections"]:
        totals = ", ".join(f"{count} {status}" for status, count in connection["totals"].items())
        console.print(f"   {connection['id']:<18} {len(connection['units'])} units, {totals}")
    index = now["index"]
    console.print(f"   index: {index['documents']} documents, {index['points']} points, model {index['model']}")


def _ask_all(console: Console, settings: Settings) -> None:
    from pipelines.cli.commands.search import Searcher

    missing: list[str] = []
    with Searcher(settings) as searcher:
        console.print(f"[bold]4. Five questions[/], asked as {ENGINEER}")
        for question in QUESTIONS:
            results = searcher.ask({"query": question.text, "user": ENGINEER, "top_k": 5}).results
            _print_answer(console, question.text, results)
            if _rank(question, results) > FOUND_WITHIN:
                missing.append(question.text)
        console.print("[bold]5. The same question, asked by two people[/]")
        for person in RIGHTS_ASKED_BY:
            request = {"query": RIGHTS_QUESTION.text, "user": person, "top_k": 3}
            _print_answer(console, f"{RIGHTS_QUESTION.text} ({person})", searcher.ask(request).results)
    if missing:
        raise HeadraceError(f"not among the first {FOUND_WITHIN} documents: {'; '.join(missing)}")


def _rank(question: DemoQuestion, results: list[DocumentResult]) -> int:
    """Rank of the expected document, from 1; one past the end if it is not there."""
    for rank, result in enumerate(results, start=1):
        text = " ".join((result.title, *(chunk.text for chunk in result.chunks)))
        if result.source == question.source and question.answer in text:
            return rank
    return len(results) + FOUND_WITHIN + 1


def _print_answer(console: Console, question: str, results: list[DocumentResult]) -> None:
    console.print(f"   [cyan]{plain(question)}[/]")
    for result in results[:FOUND_WITHIN]:
        best = max(result.chunks, key=lambda chunk: chunk.score)
        excerpt = " ".join(best.text.split())
        console.print(f"     {plain(result.source):<7} {plain(result.title)}", no_wrap=True, overflow="ellipsis")
        console.print(f"             [dim]{plain(excerpt[:110])}[/]", no_wrap=True, overflow="ellipsis")


def _serve(console: Console, settings: Settings, port: int) -> None:
    from pipelines.service import serve

    console.print("[bold]6. Ask it yourself[/]: search as any of the people above (Ctrl+C ends the demo)")
    asked = urlencode({"key": DEMO_KEY, "user": ENGINEER, "q": QUESTIONS[0].text}, quote_via=quote)
    console.print(f"   http://{_HOST}:{port}/#{asked}", soft_wrap=True)
    if settings.operator_key:
        operator = settings.operator_key.get_secret_value()
        console.print(
            f"   http://{_HOST}:{port}/sources#key={operator}  what is indexed, for operators", soft_wrap=True
        )
    serve(settings, _HOST, port)
