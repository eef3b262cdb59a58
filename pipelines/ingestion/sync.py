"""Sync: all stages for a unit, all units of a connection. What stops one unit leaves the others alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial

from connectors.contract import CachedMemberships, Connector, TellsAccounts
from connectors.errors import SourceError
from connectors.model import Unit
from connectors.registry import connect
from connectors.settings import Connection
from pipelines.catalog.failures import Cause
from pipelines.catalog.fencing import require_leases
from pipelines.catalog.memberships import MembershipsRead
from pipelines.catalog.totals import Total
from pipelines.catalog.units import UnitState
from pipelines.errors import CatalogUnavailable, HeadraceError, LeaseLost, UnitBusy, UsageError
from pipelines.ingestion.causes import describe_error, find_cause, track
from pipelines.ingestion.options import Stage, SyncOptions, Target
from pipelines.ingestion.pacing import needs_memberships, quiet_units, units_to_read
from pipelines.ingestion.paused_rights import follow_rights, paused_units
from pipelines.ingestion.report import ProgressCallback, ScanCounts, SyncReport
from pipelines.ingestion.retention import prune
from pipelines.ingestion.rights import apply_rights
from pipelines.ingestion.stage_totals import add_totals, stage_totals
from pipelines.ingestion.unit_listing import (
    UNIT_LIST,
    UnitListing,
    documents_follow,
    find_units,
    gone_units,
    units_out_of_reach,
    unreadable_units,
)
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.tracing import span

logger = logging.getLogger(__name__)

_LEFT_OUT = "the settings exclude it, or no longer name its connection"


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
    listing = _update_rights(services, connection, connector, units, options, report)
    # Only a listing that was read to its end shows that a unit is gone: what it says to have left out is not.
    shows_gone = connection.id not in report.errors and not units
    _report_left_out(connection, listing, report)
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
    for unit in (state.unit for state in states):
        due = _what_is_left_over(services, connection, unit, options) if unit.id in quiet else options
        report.add(sync_unit(services, connection, connector, unit, due, observer))
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
    failed = tuple(services.catalog.documents.due(connection.id, unit.id))
    return replace(options, mode="documents", documents=failed)


def open_connector(services: Services, connection: Connection) -> Connector:
    """Raises SourceError; the listing that it keeps from being read counts as failed then."""
    try:
        return connect(connection)
    except SourceError as error:
        services.catalog.failures.record("listing", connection.id, "", find_cause(error), str(error))
        raise


def _update_rights(
    services: Services,
    connection: Connection,
    connector: Connector,
    units: Sequence[str],
    options: SyncOptions,
    report: SyncReport,
) -> UnitListing:
    """List units, read memberships and let the index follow, before any content; returns the units to work on."""
    before = units_out_of_reach(services, connection).keys()
    listing: UnitListing | None = None
    with measure_time(report), record_errors(report, connection.id):
        listing = find_units(services, connection, connector, units, options)
    if needs_memberships(services, connection, listing.chosen if listing else None, options):
        with measure_time(report), record_errors(report, connection.id):
            refresh_memberships(services, connection, connector)
    remove_excluded(services, report, dry_run=options.dry_run)
    if not options.dry_run:
        _apply_known_rights(services, connection, connector, report)
    report.requests[connection.id] = connector.requests
    services.catalog.totals.add({Total("requests", connection.id): connector.requests})
    if listing:
        _report_unreadable(services, connection, listing, report)
    _report_out_of_reach(services, connection, before, report)
    return listing or UnitListing()


def _report_unreadable(services: Services, connection: Connection, listing: UnitListing, report: SyncReport) -> None:
    """Units that the settings spell out and that could not be looked at; for health, what fails of the list as well."""
    found = unreadable_units(services, connection, listing.unreadable)
    failing: dict[str, tuple[Cause, str]] = {"": ("source_unavailable", listing.failing)} if listing.failing else {}
    services.catalog.failures.replace("reach", connection.id, found | failing)
    for unit, (cause, error) in found.items():
        report.record_error(f"{connection.id}/{unit}", error, cause)


def _report_left_out(connection: Connection, listing: UnitListing, report: SyncReport) -> None:
    """Units that the source has not listed: what is known of such ones stays as it was."""
    for gap in listing.gaps:
        logger.warning("%s: not all units are listed: %s", connection.id, gap.reason)
    if listing.refused:
        report.refused[connection.id] = {UNIT_LIST: listing.refused}
    if listing.failing and connection.id not in report.errors:
        report.record_error(connection.id, f"{UNIT_LIST}: {listing.failing}", "source_unavailable")


def _apply_known_rights(services: Services, connection: Connection, connector: Connector, report: SyncReport) -> None:
    """Let the index follow what the catalog knows, and read rights where content waits."""
    found, prefix = SyncReport(), f"{connection.id}/"
    follow_paused_rights(services, connection, connector, found)
    apply_all_rights(services, connection, found)
    failed = {
        name.removeprefix(prefix): (found.causes.get(name, "other"), error) for name, error in found.errors.items()
    }
    services.catalog.failures.replace("rights", connection.id, failed)
    report.add(found)


def _report_out_of_reach(
    services: Services, connection: Connection, before: Collection[str], report: SyncReport
) -> None:
    """Units that wait for an operator's word. It is asked for once, by an error of the sync that finds them out of
    reach; after that they are told and fail nothing, since what had to be done about them is done."""
    waiting = units_out_of_reach(services, connection)
    for name, said in waiting.items():
        if name in report.errors:
            continue
        if name not in before and services.catalog.documents.count_live(*name.split("/", 1)):
            report.record_error(name, said, "other")
        else:
            report.out_of_reach[name] = said
    for unit, said in report.out_of_reach.items():
        logger.warning("%s: %s", unit, said)


def plan_reconcile(settings: Settings, targets: Iterable[Target]) -> SyncReport:
    """What a reconcile would read and delete; nothing is written. Raises UsageError."""
    options = SyncOptions(stages=("documents",), mode="reconcile", dry_run=True)
    report = SyncReport()
    with Services(settings) as services:
        for target in targets:
            connection = settings.connection(target.connection)
            report.add(sync_connection(services, connection, target.units, options))
    return report


def refresh_memberships(services: Services, connection: Connection, connector: Connector) -> MembershipsRead:
    """Read who belongs to which group, and nothing else.

    A group that cannot be read stays as it was, until that is too old. So do, where this raises SourceError, all
    groups that had not been read before.
    """
    with track(services.catalog, "memberships", connection.id):
        memberships = services.catalog.memberships
        items = (
            connector.cached_memberships(memberships.cache(connection.id))
            if isinstance(connector, CachedMemberships)
            else connector.memberships()
        )
        found = memberships.replace(connection.id, items)
        services.catalog.connections.record_memberships_read(connection.id)
        if isinstance(connector, TellsAccounts):
            services.catalog.accounts.replace(connection.id, list(connector.accounts()))
    for group, reason in found.unreadable.items():
        logger.warning("%s: who belongs to the group %s cannot be read: %s", connection.id, group, reason)
    return found


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
            with record_errors(report, "/".join(own)), suppress(UnitBusy), lease:
                services.catalog.rights.hide_units(state.connection, [state.unit.id], _LEFT_OUT)
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
        # A name that an earlier release took for the id. Whoever gives a unit another's real id as its name takes
        # nothing away.
        renumbered = state.unit.id == state.unit.name and (state.connection, state.unit.id) in names
        left_out = settings is None or not settings.includes(state.unit.id, state.unit.name)
        if settings is None or (state.gone and (left_out or renumbered)):
            yield state


def follow_paused_rights(services: Services, connection: Connection, connector: Connector, report: SyncReport) -> None:
    """Read what has changed of rights in each unit whose content waits. One on which another process works is left to
    that process."""
    for unit in paused_units(services.catalog, connection):
        name = f"{connection.id}/{unit.id}"
        with measure_time(report), record_errors(report, name), suppress(UnitBusy):
            follow_rights(services.catalog, connection, connector, unit)


def apply_all_rights(services: Services, connection: Connection, report: SyncReport) -> None:
    """Let the index follow in every unit in which it is behind, those that are gone or paused included.

    A unit on which another process works is left to that process.
    """
    if documents_follow(connection):
        read_since = services.catalog.memberships.count_since()
        services.catalog.units.let_documents_follow_members(connection.id, read_since)
    for unit in services.catalog.rights.units_behind(connection.id):
        lease = services.catalog.leases.hold(connection.id, unit)
        with record_errors(report, f"{connection.id}/{unit}"), suppress(UnitBusy), lease:
            report.documents.changed += apply_rights(services, connection.id, connection.source, unit)


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
    report, unit = SyncReport(), _as_listed_last(services, connection, unit)
    name = f"{connection.id}/{unit.id}"
    untold: dict[Total, float] = {}
    for stage in options.stages:
        follows_nothing = stage == "vectors" and "chunks" in options.stages and not report.has_changed
        if stage != "documents" and not options.dry_run and not follows_nothing:
            # Before anything is cut or embedded: rights and deletions wait for no text.
            with record_errors(report, name):
                apply_rights(services, connection.id, connection.source, unit.id)
        done = StageDone(connection, unit, stage, SyncReport())
        before = connector.requests
        # After an error at the source, what was read before it still goes on to the index.
        with record_errors(report, name), measure_time(done.report), _stage_span(done):
            _run_stage(services, connector, done, options, partial(_progress, observer, unit))
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
def record_errors(report: SyncReport, name: str) -> Iterator[None]:
    """Turn what stops a unit into an entry of the report, so that the others go on; without a catalog none does."""
    try:
        yield
    except (UsageError, LeaseLost, CatalogUnavailable):
        raise
    except (SourceError, HeadraceError) as error:
        logger.error("%s: %s", name, error)
        report.record_error(name, str(error), find_cause(error))
    except Exception as error:
        cause = find_cause(error)
        # A backend that is away is no fault in the program: its traceback would tell nobody anything.
        logger.error("%s: %s", name, describe_error(error), exc_info=cause == "other")
        report.record_error(name, describe_error(error), cause)


@contextmanager
def measure_time(report: SyncReport) -> Iterator[None]:
    """Add the time that the context takes to the report's seconds."""
    started = time.perf_counter()
    try:
        yield
    finally:
        report.seconds += time.perf_counter() - started
