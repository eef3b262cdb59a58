"""The resource that every asset and job takes: the settings, and what runs on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.report import SyncReport
from pipelines.settings import Settings
from pipelines.sync import SILENT, Observer
from pipelines.workspace import Workspace


@dataclass(slots=True)
class Runtime:
    """`observer` hears of progress, and `report` adds up what was done, where a run is part of a command."""

    settings: Settings
    observer: Observer = SILENT
    report: SyncReport = field(default_factory=SyncReport)

    def workspace(self) -> Workspace:
        return Workspace(self.settings)
