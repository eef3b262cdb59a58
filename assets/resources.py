"""The resource that every asset and job takes: the settings, and what runs on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg

from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import SILENT, Observer
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.tracing import trace_process


@dataclass(slots=True)
class Runtime:
    """`observer` hears of progress, and `report` adds up what was done, where a run is part of a command."""

    settings: Settings
    observer: Observer = SILENT
    report: SyncReport = field(default_factory=SyncReport)

    def services(self) -> Services:
        return Services(self.settings)


def runtime_resource(runtime: Runtime) -> dg.ResourceDefinition:
    """Hands the runtime out, and shows as long as a run has it that the run's process is alive."""

    @dg.resource(description="The settings, and what runs on them.")
    def resource(context: dg.InitResourceContext) -> Iterator[Runtime]:
        if context.run is None:  # a sensor or schedule
            yield runtime
            return
        run = context.run.run_id
        with trace_process("run"), runtime.services() as services, services.catalog.leases.hold_run(run):
            yield runtime

    return resource
