"""The resource that every asset and job takes: the settings, and what runs on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

import dagster as dg

from connectors.contract import Connector
from connectors.settings import Connection
from pipelines.ingestion.observer import SILENT, Observer
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import open_connector
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.tracing import trace_process


@dataclass(slots=True)
class Opened:
    """What the steps of a run share as long as they are executed by one process."""

    services: Services
    connectors: dict[str, Connector] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def connector(self, connection: Connection) -> Connector:
        if connection.id not in self.connectors:
            opened = open_connector(self.services, connection)
            self.connectors[connection.id] = self.stack.enter_context(closing(opened))
        return self.connectors[connection.id]


@dataclass(slots=True)
class Runtime:
    """`observer` hears of progress, and `report` adds up what was done, where a run is part of a command."""

    settings: Settings
    observer: Observer = SILENT
    report: SyncReport = field(default_factory=SyncReport)
    _opened: Opened | None = None

    @contextmanager
    def services(self) -> Iterator[Services]:
        """Those of the run; outside of runs they are opened for the context alone."""
        if self._opened:
            yield self._opened.services
        else:
            with Services(self.settings) as services:
                yield services

    def connector(self, connection: Connection) -> Connector:
        """The run's connector of a connection: what it has learned as it listed units, it need not ask for again.

        Raises SourceError. Only for runs.
        """
        if self._opened is None:
            raise RuntimeError("connectors are shared by the steps of a run, and there is none")
        return self._opened.connector(connection)

    @contextmanager
    def open_for_run(self, run: str) -> Iterator[None]:
        """Open what the steps share, and show that the process of the run is alive."""
        with (
            Services(self.settings) as services,
            services.catalog.leases.hold_run(run),
            ExitStack() as stack,
        ):
            self._opened = Opened(services, stack=stack)
            try:
                yield
            finally:
                self._opened = None


def runtime_resource(runtime: Runtime) -> dg.ResourceDefinition:
    """Hands the runtime out, and shows as long as a run has it that the run's process is alive."""

    @dg.resource(description="The settings, and what runs on them.")
    def resource(context: dg.InitResourceContext) -> Iterator[Runtime]:
        if context.run is None:  # a sensor or schedule
            yield runtime
            return
        with trace_process("run"), runtime.open_for_run(context.run.run_id):
            yield runtime

    return resource
