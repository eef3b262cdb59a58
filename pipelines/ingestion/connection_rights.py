"""A connection's rights before any content: its units, who belongs to its groups, and what the settings leave out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from connectors.contract import CachedMemberships, Connector, TellsAccounts
from connectors.settings import Connection
from pipelines.catalog.failures import Cause
from pipelines.catalog.memberships import MembershipsRead
from pipelines.catalog.spending import Spent
from pipelines.catalog.units import UnitState
from pipelines.errors import UnitBusy
from pipelines.ingestion.causes import record_errors, track
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.pacing import needs_memberships
from pipelines.ingestion.paused_rights import follow_rights, paused_units
from pipelines.ingestion.report import SyncReport, measure_time
from pipelines.ingestion.rights import apply_rights
from pipelines.ingestion.unit_listing import (
    UNIT_LIST,
    UnitListing,
    documents_follow,
    find_units,
    keep_answers,
    units_out_of_reach,
    unreadable_units,
)
from pipelines.services import Services

logger = logging.getLogger(__name__)

_LEFT_OUT = "the settings exclude it, or no longer name its connection"


def update_rights(
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
    services.catalog.spending.add(connection.id, Spent(source_requests=connector.requests))
    if listing:
        _report_unreadable(services, connection, listing, report)
    _report_out_of_reach(services, connection, before, report)
    return listing or UnitListing()


def refresh_memberships(services: Services, connection: Connection, connector: Connector) -> MembershipsRead:
    """Read who belongs to which group, and nothing else.

    A group that cannot be read stays as it was, until that is too old. So do, where this raises SourceError, all
    groups that had not been read before.
    """
    keep_answers(services, connection, connector)
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


def report_left_out(connection: Connection, listing: UnitListing, report: SyncReport) -> None:
    """Units that the source has not listed: what is known of such ones stays as it was."""
    for gap in listing.gaps:
        logger.warning("%s: not all units are listed: %s", connection.id, gap.reason)
    if listing.refused:
        report.refused[connection.id] = {UNIT_LIST: listing.refused}
    if listing.failing and connection.id not in report.errors:
        report.record_error(connection.id, f"{UNIT_LIST}: {listing.failing}", "source_unavailable")


def _report_unreadable(services: Services, connection: Connection, listing: UnitListing, report: SyncReport) -> None:
    """Units that the settings spell out and that could not be looked at; for health, what fails of the list as well."""
    found = unreadable_units(services, connection, listing.unreadable)
    failing: dict[str, tuple[Cause, str]] = {"": ("source_unavailable", listing.failing)} if listing.failing else {}
    services.catalog.failures.replace("reach", connection.id, found | failing)
    for unit, (cause, error) in found.items():
        report.record_error(f"{connection.id}/{unit}", error, cause)


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
