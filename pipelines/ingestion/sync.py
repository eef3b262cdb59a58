"""Sync: all units of a connection. What stops one leaves the others alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from connectors.contract import Connector, LooksAhead
from connectors.errors import SourceError
from connectors.model import Unit
from connectors.registry import connect
from connectors.settings import Connection
from pipelines.ingestion.causes import find_cause, record_errors, track
from pipelines.ingestion.connection_rights import report_left_out, update_rights
from pipelines.ingestion.observer import SILENT, Observer
from pipelines.ingestion.options import DEFAULT, SyncOptions, Target
from pipelines.ingestion.pacing import quiet_units, units_to_read
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.retention import prune
from pipelines.ingestion.unit_listing import (
    gone_units,
)
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.tracing import span

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DueUnits:
    """What a sync has found before it reads any content: the ids of `units` to read, and how many `quiet` ones it
    passes over. `shows_gone` says that the list was read to its end, so that what it lacks is gone."""

    options: SyncOptions
    report: SyncReport
    units: tuple[str, ...] = ()
    quiet: int = 0
    shows_gone: bool = False
    paused: bool = False


def sync_connection(
    services: Services,
    connection: Connection,
    units: Sequence[str] = (),
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """Bring a connection up to date: its list of units, its memberships, the rights that these show, then each unit
    (or only `units`).

    Of what is paused rights are read, and no content. Never raises for trouble at the source: the report's `errors`
    says what stopped which unit. Raises UsageError if one of `units` does not exist, and CatalogUnavailable.
    """
    report = SyncReport()
    with (
        span("sync", connection=connection.id),
        record_errors(report, connection.id),
        closing(open_connector(services, connection)) as connector,
    ):
        due = find_due(services, connection, connector, units, options)
        report.add(due.report)
        report.add(sync_units_of(services, connection, connector, due.units, options, observer))
        end_sync(services, connection, connector, due, report, observer)
    return report


def find_due(
    services: Services, connection: Connection, connector: Connector, units: Sequence[str], options: SyncOptions
) -> DueUnits:
    """Ask the source once what there is, let rights follow, and say which units are to be read. Raises as
    `sync_connection` does."""
    report = SyncReport()
    listing = update_rights(services, connection, connector, units, options, report)
    # Only a listing that was read to its end shows that a unit is gone: what it says to have left out is not.
    shows_gone = connection.id not in report.errors and not units
    report_left_out(connection, listing, report)
    if services.catalog.connections.get(connection.id).paused:
        logger.warning("%s is paused; `headrace resume %s` ends that", connection.id, connection.id)
        return DueUnits(options, report, paused=True)
    due = units_to_read(services, connection, connector, listing.chosen, options)
    return DueUnits(options, report, tuple(due), len(listing.chosen) - len(due), shows_gone)


def sync_units_of(
    services: Services,
    connection: Connection,
    connector: Connector,
    units: Sequence[str],
    options: SyncOptions = DEFAULT,
    observer: Observer = SILENT,
) -> SyncReport:
    """Read these units, by their ids, one after the other. See `sync_unit`."""
    report = SyncReport()
    known = {state.unit.id: state for state in services.catalog.units.all(connection.id)} if units else {}
    states = [known[one] for one in units if one in known]
    quiet = quiet_units(services, connection, connector, states, options)
    if isinstance(connector, LooksAhead) and options.mode == "changes":
        connector.look_ahead([state.unit for state in states], scheduled=options.scheduled)
    for unit in (state.unit for state in states):
        due = _what_is_left_over(services, connection, unit, options) if unit.id in quiet else options
        report.add(sync_unit(services, connection, connector, unit, due, observer))
    services.end_bulk_chunking()
    return report


def end_sync(
    services: Services,
    connection: Connection,
    connector: Connector,
    due: DueUnits,
    report: SyncReport,
    observer: Observer = SILENT,
) -> None:
    """Remove what is gone and what nothing needs any more, once the units have been read; adds to the report of the
    whole sync, which no longer tells of a unit that waited for a word to be removed, and is."""
    if due.paused:
        return
    options = due.options
    if options.mode in ("full", "reconcile") and due.shows_gone:
        for unit in gone_units(services, connection):
            for said in (report.errors, report.out_of_reach):
                said.pop(f"{connection.id}/{unit.id}", None)
            report.add(sync_unit(services, connection, connector, unit, replace(options, mode="gone"), observer))
    if not options.dry_run:
        with record_errors(report, connection.id), track(services.catalog, "retention"):
            prune(services)  # what nothing needs any more, of whichever connection


def _what_is_left_over(services: Services, connection: Connection, unit: Unit, options: SyncOptions) -> SyncOptions:
    """Of a unit that may wait, only what failed and is to be tried again."""
    failed = tuple(services.catalog.retries.due(connection.id, unit.id))
    return replace(options, mode="documents", documents=failed)


def open_connector(services: Services, connection: Connection) -> Connector:
    """Raises SourceError; the listing that it keeps from being read counts as failed then."""
    try:
        return connect(services.with_store(connection))
    except SourceError as error:
        services.catalog.failures.record("listing", connection.id, "", find_cause(error), str(error))
        raise


def plan_reconcile(settings: Settings, targets: Iterable[Target]) -> SyncReport:
    """What a reconcile would read and delete; nothing is written. Raises UsageError."""
    options = SyncOptions(stages=("documents",), mode="reconcile", dry_run=True)
    report = SyncReport()
    with Services(settings) as services:
        for target in targets:
            connection = settings.connection(target.connection)
            report.add(sync_connection(services, connection, target.units, options))
    return report
