"""Who runs syncs and backfills: the contract, and how the implementation is found.

The stages never import the orchestrator that runs them. It registers itself as an entry point of the group
`headrace.orchestrators`, so that commands can hand it their work.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib.metadata import entry_points
from typing import Protocol, cast

from connectors.contract import Window
from pipelines.errors import HeadraceError
from pipelines.index.contract import IndexInfo
from pipelines.ingestion.observer import SILENT, Observer, StageDone
from pipelines.ingestion.options import DEFAULT, SyncOptions, Target
from pipelines.ingestion.report import SyncReport
from pipelines.services import Services
from pipelines.settings import Settings

GROUP = "headrace.orchestrators"


class Reporter(Protocol):
    """Receives what is done outside runs, so that its effects are recorded beside those of runs."""

    def stage_done(self, done: StageDone) -> None: ...

    def published(self, info: IndexInfo) -> None: ...

    def checked(self, services: Services) -> None:
        """It is time to look at the checks on the sources. Called from another thread than the others' work."""


class Orchestrator(Protocol):
    """Runs the stages so that every run, and what it did to each unit, is recorded and can be inspected."""

    def sync(
        self,
        settings: Settings,
        targets: Sequence[Target],
        options: SyncOptions = DEFAULT,
        observer: Observer = SILENT,
    ) -> SyncReport:
        """Sync each target in a run of its own, then publish. Raises UsageError."""

    def backfill(
        self, settings: Settings, target: Target, window: Window | None, *, observer: Observer = SILENT
    ) -> SyncReport:
        """Process a target's units, one partition each, then publish. Raises UsageError."""

    def reporter(self, settings: Settings) -> AbstractContextManager[Reporter]:
        """Takes what the worker does, as long as the context lasts."""

    def migrate(self, settings: Settings) -> None:
        """Make the tables that runs are recorded in, or bring them up to date. Raises HeadraceError."""


def find_orchestrator() -> Orchestrator:
    """The installed orchestrator. Raises HeadraceError if there is none."""
    for entry in entry_points(group=GROUP):
        return cast(Orchestrator, entry.load()())
    raise HeadraceError("no orchestrator is installed; reinstall Headrace with `make setup`")
