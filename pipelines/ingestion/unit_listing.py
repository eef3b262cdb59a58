"""The units of a connection, brought up to date: which are listed, which are gone, which could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.contract import ChangedUnits, Connector, KeepsAnswers, PartState
from connectors.errors import ListingGap, UnreadableUnit, UnreadableUnits
from connectors.model import Unit
from connectors.registry import source
from connectors.settings import Connection, reader_settings_in
from connectors.units import ListedUnits, list_units
from pipelines.catalog.failures import Cause
from pipelines.catalog.units import EXCLUDED, NOT_LISTED, UnitState
from pipelines.errors import CatalogLost, UsageError
from pipelines.ingestion.causes import track
from pipelines.ingestion.named_units import find_unit
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.pacing import needs_listing
from pipelines.services import Holdings, Services

UNIT_LIST = "units"
"""The part under which the ledger keeps what a source has left out of its list of units."""


@dataclass(frozen=True, slots=True)
class UnitListing:
    """Units to work on, those that the settings spell out and that could not be looked at, and why there may be others
    that the source has left out of its list: because it refuses them, or because it fails for now."""

    chosen: list[Unit] = field(default_factory=list)
    unreadable: Sequence[UnreadableUnit] = ()
    gaps: Sequence[ListingGap] = ()

    @property
    def refused(self) -> str:
        return _reasons(gap for gap in self.gaps if gap.is_refused)

    @property
    def failing(self) -> str:
        return _reasons(gap for gap in self.gaps if not gap.is_refused)


def sync_units(
    services: Services, connection: Connection, connector: Connector, only: Sequence[str] = ()
) -> UnitListing:
    """Bring the catalog's units up to date with the source.

    Raises SourceError, UsageError if one of `only` does not exist, and CatalogLost.
    """
    with track(services.catalog, "listing", connection.id):
        _check_whole(services)
        found = _list_into_catalog(services, connection, connector)
    return _listing(services, connection, only, found)


def find_units(
    services: Services, connection: Connection, connector: Connector, only: Sequence[str], options: SyncOptions
) -> UnitListing:
    """As `sync_units`; but where a schedule needs no listing and no change shows another unit, those that are known.

    These are no listing: nothing that is recorded of one moves, and nobody gets back what one has taken away.
    """
    keep_answers(services, connection, connector)
    if needs_listing(services, connection, connector, options):
        return sync_units(services, connection, connector, only)
    with track(services.catalog, "listing", connection.id):
        _check_whole(services)
        if _are_as_known(services, connection, connector):
            return UnitListing(_choose(services, connection, only, ()))
        found = _list_into_catalog(services, connection, connector)
    return _listing(services, connection, only, found)


def keep_answers(services: Services, connection: Connection, connector: Connector) -> None:
    """Have the connector ask for what has changed since it was asked before, where it can."""
    if isinstance(connector, KeepsAnswers):
        connector.keep_answers(services.catalog.answers(connection.id))


def _listing(services: Services, connection: Connection, only: Sequence[str], found: ListedUnits) -> UnitListing:
    return UnitListing(_choose(services, connection, only, found.unreadable), found.unreadable, found.gaps)


def _are_as_known(services: Services, connection: Connection, connector: Connector) -> bool:
    """Whether all units in which something has changed are as the catalog knows them."""
    if services.catalog.connections.get(connection.id).paused:
        return True  # nothing is read of it: the next listing tells
    states = [state for state in services.catalog.units.all(connection.id) if not state.gone]
    known = {state.unit.id: state.unit for state in states}
    active = [state.unit.id for state in states if not state.paused]
    cursors = services.catalog.units.cursors(connection.id, active)
    changed = connector.changed_units(list(cursors.values())) if isinstance(connector, ChangedUnits) else ()
    try:
        return all(unit == known.get(unit.id) for unit in changed)
    except UnreadableUnits:
        return False


def _list_into_catalog(services: Services, connection: Connection, connector: Connector) -> ListedUnits:
    listed_since, requests = datetime.now(UTC), connector.requests
    listed = list_units(connector)
    requests = connector.requests - requests
    known = _by_id(services, connection, listed.unreadable)

    def why_gone(unit: Unit) -> str:
        if unit.id in known:
            return known[unit.id].reason
        return NOT_LISTED if connection.includes(unit.id, unit.name) else EXCLUDED

    def is_untold(unit: Unit) -> bool:
        if unit.id in known:
            return not known[unit.id].is_refused
        return connection.includes(unit.id, unit.name) and any(gap.covers(unit) for gap in listed.gaps)

    services.catalog.units.replace_listing(
        connection.id,
        connection.source,
        listed.found,
        documents_follow=documents_follow(connection),
        why_gone=why_gone,
        is_untold=is_untold,
        listed_since=listed_since,
    )
    _keep_certain_readers(services, connection)
    whole_at = None if listed.unreadable or listed.gaps else listed_since
    services.catalog.connections.record_listing(connection.id, connection.unit_patterns, whole_at, requests)
    services.catalog.parts.replace(connection.id, "", _parts_of_list(listed.gaps))
    return listed


def _parts_of_list(gaps: Sequence[ListingGap]) -> list[PartState]:
    """The list of units as a part, unless it is complete."""
    is_refused = all(gap.is_refused for gap in gaps)
    return [PartState(UNIT_LIST, "refused" if is_refused else "failing", _reasons(gaps))] if gaps else []


def _reasons(gaps: Iterable[ListingGap]) -> str:
    return "; ".join(gap.reason for gap in gaps)


def _keep_certain_readers(services: Services, connection: Connection) -> None:
    """Where other settings decide who may read, only reading each document tells what they give to it."""
    before, certain = services.catalog.connections.unit_patterns(connection.id), connection.certain_readers
    if before is None or certain is None:
        return
    readers_before = reader_settings_in(before)
    # What an earlier release recorded says nothing of readers: nothing shows that they are others.
    if readers_before and readers_before != connection.reader_settings:
        services.catalog.rights.keep_readers(connection.id, certain)


def documents_follow(connection: Connection) -> bool:
    """Whether the documents of this connection have the readers of their unit, and no others."""
    return source(connection.source).documents_have_unit_readers and not connection.narrows_readers


def _check_whole(services: Services) -> None:
    """A catalog that was lost would have everything read, landed and paid for once more, beside what is there."""
    restoring = services.catalog.restoring
    if restoring.is_under_way() or (restoring.is_blank() and _holds_documents(services)):
        raise CatalogLost()


def _holds_documents(services: Services) -> bool:
    """Whether landing or index holds anything."""
    if any(services.landing.data_files()):
        return True
    with services.store() as store:
        return store.preview().count_points() > 0


def unreadable_units(
    services: Services, connection: Connection, unreadable: Sequence[UnreadableUnit]
) -> dict[str, tuple[Cause, str]]:
    """What to say of units that the settings spell out and that could not be looked at, by id or else by name."""
    known = _by_id(services, connection, unreadable)
    ids = {one: unit_id for unit_id, one in known.items()}
    errors: dict[str, tuple[Cause, str]] = {
        ids.get(one, one.name): ("other" if one.is_refused else "source_unavailable", f"{one.name}: {one.reason}")
        for one in unreadable
    }
    for unit in gone_units(services, connection):
        if (refused := known.get(unit.id)) and refused.is_refused:
            errors[unit.id] = "other", _describe(connection, unit, refused.reason)
    return errors


def units_out_of_reach(services: Holdings, connection: Connection) -> dict[str, str]:
    """What to say of units that the source no longer lists, and whose documents are kept: by connection and unit."""
    return {
        f"{connection.id}/{unit.id}": _describe(connection, unit, NOT_LISTED)
        for unit in gone_units(services, connection)
        if connection.includes(unit.id, unit.name)
    }


def _describe(connection: Connection, unit: Unit, reason: str) -> str:
    return (
        f"{unit.name} is out of reach ({reason}): its documents are kept, and nobody sees them; "
        f"`headrace reconcile {connection.id} --allow-mass-delete` removes them"
    )


def gone_units(services: Holdings, connection: Connection) -> list[Unit]:
    """Units that the source no longer lists, and that still have documents."""
    states = services.catalog.units.all(connection.id)
    live = services.catalog.documents.count_live
    return [state.unit for state in states if state.gone and not state.paused and live(connection.id, state.unit.id)]


def _by_id(
    services: Services, connection: Connection, unreadable: Sequence[UnreadableUnit]
) -> dict[str, UnreadableUnit]:
    """What is told of known units among those that could not be looked at, by id. The settings may spell a name that
    a unit had before, or spell it otherwise."""
    by_name = {one.name.lower(): one for one in unreadable}
    named = services.catalog.unit_names.find(by_name)
    found = {
        unit.id: by_name[name] for name, units in named.items() for unit in units if unit.connection == connection.id
    }
    ids = (state.unit.id for state in services.catalog.units.all(connection.id) if unreadable)
    return found | {unit_id: by_name[unit_id.lower()] for unit_id in ids if unit_id.lower() in by_name}


def _choose(
    services: Services, connection: Connection, only: Sequence[str], unreadable: Sequence[UnreadableUnit]
) -> list[Unit]:
    known = [state for state in services.catalog.units.all(connection.id) if not state.gone]
    if not only:
        return [state.unit for state in known if not state.paused]
    return [_chosen(connection, known, name, unreadable) for name in only]


def _chosen(
    connection: Connection, known: Sequence[UnitState], name: str, unreadable: Sequence[UnreadableUnit]
) -> Unit:
    if found := find_unit(connection.id, known, name):
        return found.unit
    if refused := [one for one in unreadable if one.name.lower() == name.lower()]:
        raise UnreadableUnits(refused)
    raise UsageError(f"{connection.id}: no unit {name!r}; see `headrace units {connection.id}`")
