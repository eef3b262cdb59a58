"""The resource that every asset and job takes: the settings, and what runs on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import SILENT, Observer
from pipelines.services import Services
from pipelines.settings import Settings


@dataclass(slots=True)
class Runtime:
    """`observer` hears of progress, and `report` adds up what was done, where a run is part of a command."""

    settings: Settings
    observer: Observer = SILENT
    report: SyncReport = field(default_factory=SyncReport)

    def services(self) -> Services:
        return Services(self.settings)
