"""Who watches a run: told of each stage that has ended, and how far one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.model import Unit
from connectors.settings import Connection
from pipelines.ingestion.options import Stage
from pipelines.ingestion.report import SyncReport


@dataclass(frozen=True, slots=True)
class StageDone:
    """One stage of one unit has ended; `report` counts what this stage did."""

    connection: Connection
    unit: Unit
    stage: Stage
    report: SyncReport


@dataclass(frozen=True, slots=True)
class Observer:
    """Callbacks: for each stage that ended well, and for progress inside one (unit, stage, done, total)."""

    stage_done: Callable[[StageDone], None] = lambda done: None
    progress: Callable[[Unit, str, int, int | None], None] = lambda unit, stage, done, total: None


SILENT = Observer()
