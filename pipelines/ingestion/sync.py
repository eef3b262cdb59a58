"""Sync: all stages for a unit, all units of a connection. What stops one unit leaves the others alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from connectors.contract import Connector
from connectors.errors import SourceError
from connectors.model import Unit
from connectors.registry import connect, source
from connectors.settings import Connection
from pipelines.catalog.units import EXCLUDED, NOT_LISTED, UnitState
from pipelines.errors import HeadraceError, UnitBusy, UsageError
from pipelines.ingestion.options import Stage, SyncOptions, Target
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.ingestion.rights import apply_rights
from pipelines.services import Services
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


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


DEFAULT = SyncOptions()


def sync_connection(
    services: Services,
    connection: Connection,
    units: Sequence[str] = (),
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """Bring a connection up to date: its list of units, its memberships, the rights that these show, then each unit
    (or only `units`).

    Of a paused connection no content is read. Never raises for trouble at the source: the report's `errors` says what
    stopped which unit. Raises UsageError if one of `units` does not exist.
    """
    report = SyncReport()
    paused = services.catalog.connections.get(connection.id).paused
    with _record_errors(report, connection.id), closing(connect(connection)) as connector:
        chosen: list[Unit] = []
        with measure_time(report), _record_errors(report, connection.id):
            chosen = sync_units(services, connection, connector, units)
        with measure_time(report), _record_errors(report, connection.id):
            refresh_memberships(services, connection, connector)
        report.requests[connection.id] = connector.requests
        remove_excluded(services, report, dry_run=options.dry_run)
        if not options.dry_run:
            apply_all_rights(services, connection, report)
        report.errors |= _out_of_reach(services, connection)
        if paused:
            logger.warning("%s is paused; `headrace resume %s` ends that", connection.id, connection.id)
            return report
        for unit in chosen:
            report.add(sync_unit(services, connection, connector, unit, options, observer))
        # Only a listing that was read to its end shows that a unit is gone.
        if options.mode in ("full", "reconcile") and not units and connection.id not in report.errors:
            for unit in _gone_units(services, connection):
                report.errors.pop(f"{connection.id}/{unit.id}", None)
                report.add(sync_unit(services, connection, connector, unit, replace(options, mode="gone"), observer))
    return report


def plan_reconcile(settings: Settings, targets: Iterable[Target]) -> SyncReport:
    """What a reconcile would read and delete; nothing is written. Raises UsageError."""
    options = SyncOptions(stages=("documents",), mode="reconcile", dry_run=True)
    report = SyncReport()
    with Services(settings) as services:
        for target in targets:
            connection = settings.connection(target.connection)
            report.add(sync_connection(services, connection, target.units, options))
    return report


def refresh_memberships(services: Services, connection: Connection, connector: Connector) -> int:
    """Read who belongs to which group, and nothing else; returns how many memberships there are.

    Raises SourceError, and then leaves the memberships as they were.
    """
    count = services.catalog.memberships.replace(connection.id, connector.memberships())
    services.catalog.connections.record_memberships_read(connection.id)
    return count


def sync_units(
    services: Services, connection: Connection, connector: Connector, only: Sequence[str] = ()
) -> list[Unit]:
    """Bring the catalog's units up to date with the source, and return those to work on.

    Raises SourceError, and UsageError if one of `only` does not exist.
    """
    services.catalog.units.replace_listing(
        connection.id,
        connection.source,
        connector.units(),
        documents_follow=source(connection.source).documents_have_unit_readers and not connection.narrows_readers,
        why_gone=lambda unit: NOT_LISTED if connection.includes(unit.id, unit.name) else EXCLUDED,
    )
    known = [state for state in services.catalog.units.all(connection.id) if not state.gone]
    if not only:
        return [state.unit for state in known if not state.paused]
    by_name = {name: state.unit for state in known for name in (state.unit.name, state.unit.id)}
    if missing := [name for name in only if name not in by_name]:
        raise UsageError(f"{connection.id}: no unit {missing[0]!r}; see `headrace units {connection.id}`")
    return [by_name[name] for name in only]


def remove_excluded(services: Services, report: SyncReport, *, dry_run: bool) -> None:
    """Remove from the index what the settings exclude or no longer name; queries leave it out already.

    Nobody is asked: it is the operator's word. A unit on which another process works is left to the next sync.
    """
    documents = services.catalog.documents
    for state in _excluded_units(services):
        own = (state.connection, state.unit.id)
        if dry_run:
            report.would_delete += documents.missing_from(*own, None)
        elif documents.count_live(*own) or documents.count_indexed(*own):
            lease = services.catalog.leases.hold(*own)
            with _record_errors(report, "/".join(own)), suppress(UnitBusy), lease:
                report.documents.deleted += services.catalog.rights.remove_unit(*own)
                apply_rights(services, state.connection, state.source, state.unit.id)


def _excluded_units(services: Services) -> Iterator[UnitState]:
    """Units that the settings exclude, or whose connection they do not name; and those whose former id, a name, says
    no more which unit they were, now that another one has it."""
    named = {one.id: one for one in services.settings.connections}
    states = services.catalog.units.all()
    names = {(state.connection, state.unit.name) for state in states if not state.gone}
    for state in states:
        settings = named.get(state.connection)
        renumbered = state.gone and (state.connection, state.unit.id) in names
        if settings is None or not settings.includes(state.unit.id, state.unit.name) or renumbered:
            yield state


def _out_of_reach(services: Services, connection: Connection) -> dict[str, str]:
    """What to say of units that the source no longer lists, and whose documents are kept."""
    return {
        f"{connection.id}/{unit.id}": f"{unit.name} is out of reach ({NOT_LISTED}): its documents are kept, and nobody "
        f"sees them; `headrace reconcile {connection.id} --allow-mass-delete` removes them"
        for unit in _gone_units(services, connection)
    }


def apply_all_rights(services: Services, connection: Connection, report: SyncReport) -> None:
    """Let the index follow in every unit in which it is behind, those that are gone or paused included.

    A unit on which another process works is left to that process.
    """
    for unit in services.catalog.rights.units_behind(connection.id):
        lease = services.catalog.leases.hold(connection.id, unit)
        with _record_errors(report, f"{connection.id}/{unit}"), suppress(UnitBusy), lease:
            report.documents.changed += apply_rights(services, connection.id, connection.source, unit)


def _gone_units(services: Services, connection: Connection) -> list[Unit]:
    """Units that the source no longer lists, and that still have documents."""
    states = services.catalog.units.all(connection.id)
    live = services.catalog.documents.count_live
    return [state.unit for state in states if state.gone and not state.paused and live(connection.id, state.unit.id)]


def sync_unit(
    services: Services,
    connection: Connection,
    connector: Connector,
    unit: Unit,
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """Run the stages of one unit, alone on it. The report's `errors` say what stopped it."""
    report = SyncReport()
    with _record_errors(report, f"{connection.id}/{unit.id}"), services.catalog.leases.hold(connection.id, unit.id):
        report.add(run_stages(services, connection, connector, unit, options, observer))
    return report


def run_stages(
    services: Services,
    connection: Connection,
    connector: Connector,
    unit: Unit,
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """The stages of one unit, for a caller that holds its lease. See `sync_unit`."""
    report = SyncReport()
    name = f"{connection.id}/{unit.id}"
    for stage in options.stages:
        if stage != "documents" and not options.dry_run:
            # Before anything is cut or embedded: rights and deletions wait for no text.
            with _record_errors(report, name):
                apply_rights(services, connection.id, connection.source, unit.id)
        done = StageDone(connection, unit, stage, SyncReport())
        before = connector.requests
        # After an error at the source, what was read before it still goes on to the index.
        with _record_errors(report, name), measure_time(done.report):
            _run_stage(services, connector, done, options, partial(observer.progress, unit))
        done.report.requests[connection.id] = connector.requests - before
        report.add(done.report)
        if name not in report.errors:
            observer.stage_done(done)
    if options.mode != "documents" and not options.dry_run:
        services.catalog.units.record_sync(connection.id, unit.id, report.errors.get(name))
    return report


def _run_stage(
    services: Services, connector: Connector, done: StageDone, options: SyncOptions, progress: ProgressCallback
) -> None:
    """Run one stage. The stages are imported when they run: each brings heavy packages of its own."""
    unit, connection = done.unit, done.connection
    if done.stage == "documents":
        from pipelines.ingestion.documents import DocumentIngest

        DocumentIngest(services, connector, connection, unit, options, done.report, progress).run()
    elif done.stage == "chunks":
        from pipelines.ingestion.chunks import chunk

        chunk(services, connection.id, unit.id, done.report, progress=progress)
    else:
        from pipelines.ingestion.vectors import index_vectors

        index_vectors(services, connection.id, unit.id, done.report, progress=progress)


@contextmanager
def _record_errors(report: SyncReport, name: str) -> Iterator[None]:
    """Turn what stops a unit into an entry of the report, so that the other units go on."""
    try:
        yield
    except UsageError:
        raise
    except (SourceError, HeadraceError) as error:
        logger.error("%s: %s", name, error)
        report.errors[name] = str(error)
    except Exception as error:
        logger.exception("%s: unexpected error", name)
        report.errors[name] = f"unexpected {type(error).__name__}: {error}"


@contextmanager
def measure_time(report: SyncReport) -> Iterator[None]:
    """Add the time that the context takes to the report's seconds."""
    started = time.perf_counter()
    try:
        yield
    finally:
        report.seconds += time.perf_counter() - started
