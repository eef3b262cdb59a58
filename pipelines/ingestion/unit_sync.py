"""All stages of one unit, for one process at a time."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

from connectors.contract import Connector
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.catalog.fencing import require_leases
from pipelines.catalog.totals import Total
from pipelines.errors import UnitBusy
from pipelines.ingestion.begun_indexing import BegunIndexing
from pipelines.ingestion.causes import record_errors
from pipelines.ingestion.observer import SILENT, Observer, StageDone
from pipelines.ingestion.options import DEFAULT, Stage, SyncOptions
from pipelines.ingestion.report import ProgressCallback, ScanCounts, SyncReport, measure_time
from pipelines.ingestion.rights import apply_rights
from pipelines.ingestion.source_requests import RequestCounter, counting_requests
from pipelines.ingestion.stage_totals import add_totals, stage_totals
from pipelines.machine import give_back_memory
from pipelines.services import Services
from pipelines.tracing import span

logger = logging.getLogger(__name__)


def sync_unit(
    services: Services,
    connection: Connection,
    connector: Connector,
    unit: Unit,
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """Run the stages of one unit, alone on it. The report's `errors` say what stopped it.

    Where another process works on the unit, there is nothing to do for one that only wants it up to date: the unit is
    `busy`. Whoever asks for more (all of it, a period, a reconcile) has not got it: that is an error.
    """
    report, name = SyncReport(), f"{connection.id}/{unit.id}"
    with record_errors(report, name):
        try:
            with services.catalog.leases.hold(connection.id, unit.id):
                report.add(run_stages(services, connection, connector, unit, options, observer))
        except UnitBusy as error:
            if options.mode == "changes" and not options.window:
                report.busy[name] = f"is being synced {error.by}"
                logger.info("skipped: %s %s", name, report.busy[name])
            else:
                report.errors[name] = str(error)
    return report


def run_stages(
    services: Services,
    connection: Connection,
    connector: Connector,
    unit: Unit,
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """The stages of one unit, for a caller that holds its lease. See `sync_unit`. Raises LeaseLost."""
    with counting_requests(services.catalog, connection.id, connector) as counter:
        return _run_stages(services, connection, connector, unit, options, _counting(observer, counter))


def _run_stages(
    services: Services,
    connection: Connection,
    connector: Connector,
    unit: Unit,
    options: SyncOptions,
    observer: Observer,
) -> SyncReport:
    report, unit = SyncReport(), _as_listed_last(services, connection, unit)
    name = f"{connection.id}/{unit.id}"
    untold: dict[Total, float] = {}
    begun = BegunIndexing(services, connection.id) if {"chunks", "vectors"} <= set(options.stages) else None
    for stage in options.stages:
        follows_nothing = stage == "vectors" and "chunks" in options.stages and not report.has_changed
        if stage != "documents" and not options.dry_run and not follows_nothing:
            # Before anything is chunked or embedded: rights and deletions wait for no text.
            with record_errors(report, name):
                apply_rights(services, connection.id, connection.source, unit.id)
        done = StageDone(connection, unit, stage, SyncReport())
        before = connector.requests
        # After an error at the source, what was read before it still goes on to the index.
        with record_errors(report, name), measure_time(done.report), _stage_span(done):
            _run_stage(services, connector, done, options, partial(_progress, observer, unit), begun)
        done.report.requests[connection.id] = connector.requests - before
        if services.page_reader:
            done.report.scans = ScanCounts(*services.page_reader.take_counts(connection.id))
        add_totals(untold, stage_totals(connection.id, stage, done.report))
        if done.report.has_changed:  # of a stage that did nothing, the next one tells
            services.catalog.totals.add(untold)
            untold.clear()
        report.add(done.report)
        if name not in report.errors:
            observer.stage_done(done)
    cause = report.causes.get(name, "other")
    if name in report.errors:
        add_totals(untold, {Total("errors", connection.id, cause): 1})
    services.catalog.totals.add(untold)
    if options.mode != "documents" and not options.dry_run:
        services.catalog.units.record_sync(connection.id, unit.id, report.errors.get(name), cause)
    return report


def _counting(observer: Observer, counter: RequestCounter) -> Observer:
    """The same observer; a stage that takes its time has its requests counted meanwhile."""

    def progress(unit: Unit, stage: str, done: int, total: int | None) -> None:
        counter.write_now_and_then()
        observer.progress(unit, stage, done, total)

    return replace(observer, progress=progress)


def _as_listed_last(services: Services, connection: Connection, unit: Unit) -> Unit:
    """The unit as the catalog knows it now: since the caller's listing it may have lost readers, and all that tells of
    it may have ended before the lease was ours."""
    state = services.catalog.units.get(connection.id, unit.id)
    return state.unit if state else unit


def _stage_span(done: StageDone) -> AbstractContextManager[None]:
    """Of the stage of vectors its parts have spans of their own."""
    names: dict[Stage, str] = {"documents": "read", "chunks": "chunk"}
    labels = {"connection": done.connection.id, "unit": done.unit.id}
    return span(names[done.stage], **labels) if done.stage in names else nullcontext()


def _progress(observer: Observer, unit: Unit, stage: str, done: int, total: int | None) -> None:
    require_leases()
    observer.progress(unit, stage, done, total)


def _run_stage(
    services: Services,
    connector: Connector,
    done: StageDone,
    options: SyncOptions,
    progress: ProgressCallback,
    begun: BegunIndexing | None,
) -> None:
    """Run one stage. The stages are imported when they run: each brings heavy packages of its own."""
    unit, connection = done.unit, done.connection
    if done.stage == "documents":
        from pipelines.ingestion.documents import DocumentIngest
        from pipelines.ingestion.unit_task import UnitTask

        DocumentIngest(UnitTask(services, connector, connection, unit, options, done.report, progress)).run()
    elif done.stage == "chunks":
        from pipelines.ingestion.chunks import Chunking

        chunking = Chunking(services, connection.id, unit.id, done.report, progress, beside=begun is not None)
        if begun and chunking.is_beside:
            give_back_memory()  # what was read is in the landing
            begun.index(chunking, progress)
        chunking.run()
    else:
        from pipelines.ingestion.vectors import index_vectors

        if begun:
            begun.hand_over(done.report)
        index_vectors(services, connection.id, unit.id, done.report, progress=progress)
