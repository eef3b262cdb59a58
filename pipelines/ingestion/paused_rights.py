"""Rights in units that are paused: followed as far as the source tells them without contents."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from connectors.admission import Refused, admit_rights
from connectors.contract import Checkpoint, Connector, Cursor, Deleted, DocumentReaders, Failed, RightsFeed, RightsItem
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.catalog import Catalog, RightsUpdate
from pipelines.catalog.outcomes import Readers
from pipelines.ingestion.reconcile import new_listing

logger = logging.getLogger(__name__)

ITEMS_AT_ONCE = 100
SECONDS_AT_ONCE = 0.2
"""So many are written at once, or what was told in this time: what was lost counts soon, however much there is and
however slow the source."""

_GONE = "gone at the source"
_NOT_NAMED = "missing from what the source names in its unit"


def paused_units(catalog: Catalog, connection: Connection) -> list[Unit]:
    """Units whose content waits. None of a connection of which nothing was read yet: there is nothing to lose."""
    states = [state for state in catalog.units.all(connection.id) if not state.gone]
    if not any(state.has_cursor or state.last_sync for state in states):
        return []
    is_paused = catalog.connections.get(connection.id).paused
    return [state.unit for state in states if is_paused or state.paused]


def follow_rights(catalog: Catalog, connection: Connection, connector: Connector, unit: Unit) -> None:
    """Read what has changed of rights in a unit, alone on it: what was lost counts from now on.

    Nothing is read where documents have the readers of their unit, which every listing shows. Raises UnitBusy, and
    SourceError; what was told before it counts.
    """
    if not isinstance(connector, RightsFeed):
        return
    with catalog.leases.hold(connection.id, unit.id):
        state = catalog.units.get(connection.id, unit.id)
        cursor = (state.rights_cursor or state.cursor) if state else None
        writer = _RightsWriter(catalog, connection, unit)
        try:
            for item in connector.read_rights(unit, cursor):
                writer.take(item)
        finally:
            writer.flush()


@dataclass(slots=True)
class _RightsWriter:
    """Gathers what is told of a unit's documents and writes it to the catalog. Make it before the source is asked."""

    catalog: Catalog
    connection: Connection
    unit: Unit
    listing: str = field(default_factory=new_listing)
    told: RightsUpdate = field(default_factory=RightsUpdate)
    written_at: float = field(default_factory=time.monotonic)
    is_overtaken: bool = False
    """Whether something was taken away since this began that was told to be allowed: then all is told again next time,
    since nobody knows when the source was asked for it."""

    def take(self, item: RightsItem | Checkpoint) -> None:
        if isinstance(item, Checkpoint):
            if item.complete:
                self._hide_missing()
            self.flush(item.cursor)
            return
        admitted = admit_rights(item, self.connection, self.unit)
        if isinstance(admitted, Refused):
            logger.warning("%s/%s: %s: %s", self.connection.id, self.unit.id, admitted.named, admitted.reason)
        else:
            self._gather(admitted)

    def flush(self, cursor: Cursor | None = None) -> None:
        told, self.told = self.told, RightsUpdate(self.told.read_since)
        self.written_at = time.monotonic()
        cursor = None if self.is_overtaken else cursor
        self.catalog.commit_rights(self.connection.id, self.unit.id, told, listing=self.listing, cursor=cursor)
        self.is_overtaken |= bool(told.overtaken)

    def _gather(self, item: RightsItem) -> None:
        self.told.readers.pop(item.document_id, None)
        self.told.hidden.pop(item.document_id, None)
        match item:
            case DocumentReaders():
                self.told.readers[item.document_id] = Readers.of(item)
            case Failed():
                self.told.hidden[item.document_id] = item.error
            case Deleted():
                self.told.hidden[item.document_id] = _GONE
            case _:
                self.told.hidden[item.document_id] = item.reason
        if len(self.told) >= ITEMS_AT_ONCE or time.monotonic() - self.written_at >= SECONDS_AT_ONCE:
            self.flush()

    def _hide_missing(self) -> None:
        """All that the unit has was named: what was not is gone from it."""
        self.flush()
        missing = self.catalog.documents.missing_from(self.connection.id, self.unit.id, self.listing)
        self.catalog.rights.hide(self.connection.id, self.unit.id, missing, _NOT_NAMED)
