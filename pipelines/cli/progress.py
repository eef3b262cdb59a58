"""How far a sync is: a bar on a terminal, a plain line now and then elsewhere, nothing with JSON."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console

from connectors.model import Unit
from pipelines.cli.output import open_console, plain
from pipelines.ingestion.observer import SILENT, Observer, StageDone
from pipelines.ingestion.options import STAGES
from pipelines.ingestion.report import SyncReport
from pipelines.printable import printable

_SECONDS_BETWEEN_LINES = 5.0
ShowProgress: TypeAlias = Callable[[Unit, str, int, int | None], None]
"""Of a unit and a stage, how many things are done, and how many there are if known."""


@contextmanager
def progress(json: bool) -> Iterator[Observer]:
    """Shows how far a sync is: a bar on a terminal, a plain line now and then elsewhere, nothing with JSON."""
    if json:
        yield SILENT
    elif open_console().is_terminal:
        with _bars() as (lines, show):
            yield Observer(lines, show)
            lines.end()
    else:
        lines, show = _lines()
        yield Observer(lines, show)
        lines.end()


@contextmanager
def _bars() -> Iterator[tuple[_UnitLines, ShowProgress]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}")
    columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _terminal() as console, Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def show(unit: Unit, stage: str, done: int, total: int | None) -> None:
            bars.update(task, description=f"{plain(unit.name)} {stage}", completed=done, total=total)

        yield _UnitLines(lambda line: bars.console.print(line, highlight=False, markup=False)), show


@contextmanager
def _terminal() -> Iterator[Console]:
    """The terminal itself: Dagster puts a pipe in the place of standard output while it keeps what a run prints, and
    through that no bar can be taken back."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=sys.stdout.encoding) as terminal:
        yield Console(file=terminal, emoji=False)


def _lines() -> tuple[_UnitLines, ShowProgress]:
    shown = time.monotonic()

    def show(unit: Unit, stage: str, done: int, total: int | None) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            print(f"{printable(unit.name)} {stage}: {done}" + (f" of {total}" if total else ""), flush=True)

    return _UnitLines(lambda line: print(line, flush=True)), show


class _UnitLines:
    """Prints a line for each unit in which something happened, once its last stage is done; the others are counted."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._total = SyncReport()
        self._quiet = 0

    def __call__(self, done: StageDone) -> None:
        if done.stage == STAGES[0]:
            self._total = SyncReport()
        self._total.add(done.report)
        if done.stage != STAGES[-1]:
            return
        if _happened(self._total):
            self._write(f"   {done.connection.id}/{printable(done.unit.name)}: {summary(self._total)}")
        else:
            self._quiet += 1

    def end(self) -> None:
        """Say how many units there were of which there is nothing else to say."""
        if self._quiet:
            self._write(f"   {self._quiet} {'units' if self._quiet > 1 else 'unit'} with nothing new")


def summary(report: SyncReport) -> str:
    """A report in one line, with only what happened."""
    return f"{_happened(report) or 'nothing new'} ({report.seconds:.1f} s)"


def _happened(report: SyncReport) -> str:
    documents, embedding = report.documents, report.embedding
    counts = {
        "new": documents.new,
        "changed": documents.changed,
        "deleted": documents.deleted,
        "skipped": documents.skipped,
        "failed": documents.failed,
        "new points": report.chunks.new,
        "removed points": report.chunks.removed,
        "scanned pages read": report.scans.pages,
        "texts embedded": embedding.inputs,
        "from the cache": embedding.cached,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
