"""Documents that were pushed, as a connector: they are read from where they are kept. The unit is what each names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.contract import (
    Connector,
    Cursor,
    Deleted,
    Finding,
    Item,
    ListingEntry,
    MembershipItem,
    Window,
)
from connectors.errors import SourceError
from connectors.isolation import Isolation
from connectors.model import Unit
from connectors.push import access
from connectors.push.cursor import PushCursor
from connectors.push.documents import PushItems, document_name
from connectors.push.reader import PushReader
from connectors.push.settings import PushConnection
from connectors.pushed_documents import DocumentStore, StoredDocument


def connect(connection: PushConnection) -> Connector:
    """Open a connection; nothing is asked yet. Raises SourceError where nobody has opened its store."""
    if connection.store is None:
        raise SourceError(f"{connection.id}: what was pushed to it is not within reach of this program")
    return PushConnector(connection, connection.store)


class PushConnector:
    """Reads what was pushed. See `connectors.contract.Connector`."""

    def __init__(self, connection: PushConnection, store: DocumentStore) -> None:
        self._connection = connection
        self._store = store

    @property
    def requests(self) -> int:
        return self._store.requests

    def close(self) -> None:
        pass

    def check(self) -> list[Finding]:
        """How many units something was pushed to: an empty connection is well, and waits."""
        try:
            found = len([*self.units()])
        except SourceError as error:
            return [Finding("documents", False, str(error))]
        advice = "" if found else "; nothing was pushed yet: PUT /v1/documents/{id}"
        return [Finding("documents", True, f"in {found} units{advice}")]

    def units(self) -> Iterator[Unit]:
        yield from (Unit(one, one) for one in self._store.units() if self._connection.includes(one))

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        reader = self._reader(unit)
        if window:
            return reader.window(window, cursor)
        return reader.changes(PushCursor.parse(cursor), is_complete=cursor is None)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        return self._reader(unit).entries()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        documents = self._documents()
        names = {one: document_name(self._connection.id, one) for one in document_ids}
        found = self._store.find(names.values())
        for document_id, name in names.items():
            stored = found.get(name)
            if not isinstance(stored, StoredDocument):
                yield Deleted(document_id)
            elif stored.unit != unit.id:
                yield Deleted(document_id, moved_to=stored.unit)
            else:
                yield documents.item(stored)

    def unit_of(self, document_id: str) -> str | None:
        name = document_name(self._connection.id, document_id)
        stored = self._store.find([name]).get(name)
        return stored.unit if isinstance(stored, StoredDocument) and self._connection.includes(stored.unit) else None

    def memberships(self) -> Iterator[MembershipItem]:
        return access.memberships(self._connection.groups)

    def _reader(self, unit: Unit) -> PushReader:
        return PushReader(self._store, self._documents(), unit)

    def _documents(self) -> PushItems:
        return PushItems(self._connection.id, self._store, Isolation(lambda: self.requests))
