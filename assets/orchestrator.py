"""Runs syncs and backfills of the command line as Dagster runs: in this process, or where Dagster launches runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import dagster as dg

from assets.definitions import build_definitions
from assets.instance import dagster_instance, migrate_instance
from assets.keys import job_name
from assets.launched_runs import launches_elsewhere, run_launched
from assets.reporting import DagsterReporter
from assets.resources import Runtime
from assets.sync_steps import sync_run_config
from connectors.contract import Window
from connectors.model import Unit
from connectors.registry import connect
from pipelines.errors import HeadraceError, UsageError
from pipelines.ingestion.observer import SILENT, Observer
from pipelines.ingestion.options import DEFAULT, SyncOptions, Target
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.source_requests import counting_requests
from pipelines.ingestion.unit_listing import sync_units
from pipelines.settings import Settings

QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The command prints its own lines; Dagster's events go to its history all the same."""


class DagsterOrchestrator:
    """`pipelines.ingestion.orchestrator.Orchestrator` on the Dagster instance that the UI shows."""

    def sync(
        self,
        settings: Settings,
        targets: Sequence[Target],
        options: SyncOptions = DEFAULT,
        observer: Observer = SILENT,
    ) -> SyncReport:
        with dagster_instance(settings) as instance:
            execute = _launch if launches_elsewhere(instance) else _execute
            return execute(settings, instance, targets, options, observer)

    def backfill(
        self, settings: Settings, target: Target, window: Window | None, *, observer: Observer = SILENT
    ) -> SyncReport:
        units = self._units(settings, target)
        asked = Target(target.connection, tuple(unit.id for unit in units))
        return self.sync(settings, [asked], SyncOptions(window=window), observer) if units else SyncReport()

    @contextmanager
    def reporter(self, settings: Settings) -> Iterator[DagsterReporter]:
        with dagster_instance(settings, math.inf) as instance:
            yield DagsterReporter(instance)

    def migrate(self, settings: Settings) -> None:
        migrate_instance(settings)

    @staticmethod
    def _units(settings: Settings, target: Target) -> list[Unit]:
        connection = settings.connection(target.connection)
        with (
            Runtime(settings).services() as services,
            closing(connect(services.with_store(connection))) as connector,
            counting_requests(services.catalog, connection.id, connector),
        ):
            return sync_units(services, connection, connector, target.units).chosen


def _execute(
    settings: Settings,
    instance: dg.DagsterInstance,
    targets: Sequence[Target],
    options: SyncOptions,
    observer: Observer,
) -> SyncReport:
    """In this process."""
    runtime = Runtime(settings, observer)
    definitions = build_definitions(settings, runtime)
    for target in targets:
        job = definitions.resolve_job_def(job_name(target.connection))
        config = sync_run_config(target.connection, _sync_config(target, options))
        with _collect_failure(runtime.report, target.connection):
            job.execute_in_process(run_config=QUIET | config, instance=instance)
    return runtime.report


def _launch(
    settings: Settings,
    instance: dg.DagsterInstance,
    targets: Sequence[Target],
    options: SyncOptions,
    observer: Observer,
) -> SyncReport:
    """Where the instance's launcher starts runs, one after the other."""
    report = SyncReport()
    for target in targets:
        config = sync_run_config(target.connection, _sync_config(target, options))
        report.add(run_launched(settings, instance, settings.connection(target.connection), config, observer))
    return report


@contextmanager
def _collect_failure(report: SyncReport, name: str) -> Iterator[None]:
    """Turn what failed a run into an entry of the report; a `Failure` says only what is there already."""
    try:
        yield
    except dg.Failure:
        pass
    except UsageError:
        raise
    except HeadraceError as error:
        report.errors[name] = str(error)
    except dg.DagsterError as error:
        raise _find_own(error) from None


def _find_own(error: BaseException) -> BaseException:
    """What Dagster has wrapped, where that is an error of Headrace's: of a catalog that cannot be opened, say."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, HeadraceError):
        cause = cause.__cause__
    return cause or error


def _sync_config(target: Target, options: SyncOptions) -> dict[str, Any]:
    days = {"since": options.window.since, "until": options.window.until} if options.window else {}
    period = {name: day.isoformat() for name, day in days.items() if day}
    asked = {"units": list(target.units), "mode": options.mode, "allow_mass_delete": options.allow_mass_delete}
    return asked | period
