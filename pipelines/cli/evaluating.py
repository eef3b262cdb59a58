"""`headrace eval`: questions with expected documents, asked of the published index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import show
from pipelines.cli.searching import Searcher
from pipelines.evaluation.comparison import Comparison, compared
from pipelines.evaluation.measures import Figures
from pipelines.evaluation.questions import read_questions
from pipelines.evaluation.report import COLUMNS, write_report
from pipelines.evaluation.run import Asked, Run, evaluate, read_run, save
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class EvalFiles:
    """The questions, the earlier run to compare with, and where to keep this run and its page."""

    questions: Path
    against: Path | None
    save: Path | None
    html: Path | None


def evaluate_file(settings: Settings, files: EvalFiles, mode: str, json: bool) -> None:
    """Ask, compare, write and print. Raises UsageError for files that do not fit."""
    questions = read_questions(files.questions)
    earlier = read_run(files.against) if files.against else None
    with Searcher(settings) as searcher:
        run = evaluate(questions, searcher.ask, model=searcher.model, mode=mode)
    comparison = compared(run, earlier) if earlier else None
    if files.save:
        save(run, files.save)
    if files.html:
        write_report(run, comparison, files.html)
    if json:
        show.as_json(run.as_json() | ({"against": comparison.as_json()} if comparison else {}))
    else:
        _print(run, comparison)


def _print(run: Run, comparison: Comparison | None) -> None:
    console = Console()
    table = Table("source", "questions", *COLUMNS, box=None, pad_edge=False)
    changes = comparison.by_source if comparison else {}
    table.add_row(*_row("all", len(run.asked), run.total, comparison.change if comparison else None))
    for source, (count, figures) in run.by_source.items():
        table.add_row(*_row(source, count, figures, changes.get(source)))
    console.print(table)
    for one in comparison.worse if comparison else ():
        before, now = one.before.figures.ndcg_at_10, one.asked.figures.ndcg_at_10
        console.print(f"worse  {before:.3f} → {now:.3f}  {escape(one.asked.query)}", highlight=False, soft_wrap=True)
    for asked in run.worst():
        _print_question(console, asked)


def _print_question(console: Console, asked: Asked) -> None:
    console.print(f"\n[bold]{escape(asked.query)}[/]  nDCG@10 {asked.figures.ndcg_at_10:.3f}", highlight=False)
    for missing in asked.missing:
        console.print(f"   missing  {escape(missing)}", highlight=False, soft_wrap=True)
    for one in asked.instead[:3]:
        console.print(f"   instead  {escape(one.document_id)}  {escape(one.title)}", highlight=False, soft_wrap=True)


def _row(name: str, count: int, figures: Figures, change: Figures | None) -> list[str]:
    values = figures.as_json().values()
    moved = change.as_json().values() if change else [None] * len(values)
    cells = [f"{value:.3f}" + ("" if by is None else f" ({by:+.3f})") for value, by in zip(values, moved, strict=True)]
    return [name, str(count), *cells]
