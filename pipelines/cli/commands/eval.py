"""`headrace eval`: questions with expected documents, asked of the published index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table

from pipelines.cli import output
from pipelines.cli.commands.search import Searcher
from pipelines.errors import UsageError
from pipelines.evaluation.comparison import RunComparison, compare
from pipelines.evaluation.feedback import add_questions, questions_of
from pipelines.evaluation.measures import Figures
from pipelines.evaluation.questions import Question, expected_names, read_questions
from pipelines.evaluation.report import COLUMNS, write_report
from pipelines.evaluation.run import WORST, AskedQuestion, Run, evaluate, read_run, save
from pipelines.index.contract import Mode
from pipelines.services import Services
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class EvalFiles:
    """The questions, the earlier run to compare with, and where to keep this run and its page."""

    questions: Path
    against: Path | None
    save: Path | None
    html: Path | None


def evaluate_file(settings: Settings, files: EvalFiles, mode: str, json: bool, *, from_feedback: bool) -> None:
    """Ask, compare, write and print. Raises UsageError for files that do not fit."""
    _require_usable(files, mode)
    if from_feedback:
        with Services(settings) as services:
            add_questions(files.questions, questions_of(services.catalog.feedback.all()))
    questions = read_questions(files.questions)
    earlier = read_run(files.against) if files.against else None
    run = _ask(settings, questions, mode)
    comparison = compare(run, earlier) if earlier else None
    if files.save:
        save(run, files.save)
    if files.html:
        write_report(run, comparison, files.html)
    if json:
        output.print_json(run.as_json() | ({"against": comparison.as_json()} if comparison else {}))
    else:
        _print(run, comparison)


def _require_usable(files: EvalFiles, mode: str) -> None:
    """Before anything is asked: a run may take minutes and cost money. Raises UsageError."""
    if mode not in get_args(Mode):
        raise UsageError(f"--mode: {mode!r} must be one of {', '.join(get_args(Mode))}")
    for option, file in (("--save", files.save), ("--html", files.html)):
        if file and not file.parent.is_dir():
            raise UsageError(f"{option} {file}: {file.parent} is not a directory")


def _ask(settings: Settings, questions: Sequence[Question], mode: str) -> Run:
    with Searcher(settings) as searcher:
        if mode != "lexical":
            searcher.embed_together([one.query for one in questions])
        ids = searcher.resolve_ids(expected_names(questions))
        return evaluate(questions, searcher.ask_as_operator, model=searcher.model, mode=mode, ids=ids)


def _print(run: Run, comparison: RunComparison | None) -> None:
    console = Console()
    table = Table("source", "questions", *COLUMNS, box=None, pad_edge=False)
    changes = comparison.by_source if comparison else {}
    table.add_row(*_row("all", len(run.asked), run.total, comparison.change if comparison else None))
    for source, (count, figures) in run.by_source.items():
        table.add_row(*_row(source, count, figures, changes.get(source)))
    console.print(table)
    if comparison:
        _print_moves(console, comparison)
    for asked in run.worst():
        _print_question(console, asked)
    for name in run.unknown:
        console.print(f"unknown  {output.plain(name)}: expected, and in no connection", highlight=False, soft_wrap=True)


def _print_moves(console: Console, comparison: RunComparison) -> None:
    earlier = f"{comparison.mode} search with {comparison.model}"
    both = f"compared with {earlier}, over the {comparison.questions} questions of both runs"
    console.print(output.plain(both), highlight=False, soft_wrap=True)
    for how, moves in (("worse", comparison.worse), ("better", comparison.better)):
        for one in moves[:WORST]:
            before, now = one.before.figures.ndcg_at_10, one.asked.figures.ndcg_at_10
            line = f"{how:<7}{before:.3f} → {now:.3f}  {output.plain(one.asked.query)}"
            console.print(line, highlight=False, soft_wrap=True)
        if len(moves) > WORST:
            console.print(f"{how:<7}and {len(moves) - WORST} more", highlight=False)


def _print_question(console: Console, asked: AskedQuestion) -> None:
    console.print(f"\n[bold]{output.plain(asked.query)}[/]  nDCG@10 {asked.figures.ndcg_at_10:.3f}", highlight=False)
    for missing in asked.missing:
        console.print(f"   missing  {output.plain(missing)}", highlight=False, soft_wrap=True)
    for one in asked.instead[:3]:
        console.print(f"   instead  {output.plain(f'{one.document_id}  {one.title}')}", highlight=False, soft_wrap=True)


def _row(name: str, count: int, figures: Figures, change: Figures | None) -> list[str]:
    values = figures.as_json().values()
    moved = change.as_json().values() if change else [None] * len(values)
    cells = [f"{value:.3f}" + ("" if by is None else f" ({by:+.3f})") for value, by in zip(values, moved, strict=True)]
    return [name, str(count), *cells]
