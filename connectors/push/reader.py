"""The ways to read a unit: what has changed, a window, and the listing without contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.contract import Checkpoint, Cursor, Item, ListingEntry, Window
from connectors.model import Unit
from connectors.push.cursor import PushCursor
from connectors.push.documents import PushItems
from connectors.pushed_documents import DocumentStore, RemovedDocument, StoredDocument

DOCUMENTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class PushReader:
    """One read of one unit."""

    store: DocumentStore
    documents: PushItems
    unit: Unit

    def changes(self, cursor: PushCursor, *, is_complete: bool) -> Iterator[Item]:
        """What has changed behind a cursor, the oldest change first; all of it is a complete listing.

        What changes meanwhile has a higher number, and comes again at the end.
        """
        for page in self._pages(cursor.number):
            for stored in page:
                yield self.documents.item(stored)
            cursor = PushCursor(page[-1].number)
            yield Checkpoint(cursor.dump())
        yield Checkpoint(cursor.dump(), complete=is_complete)

    def window(self, window: Window, cursor: Cursor | None) -> Iterator[Item]:
        """Documents that were last updated inside of it."""
        for stored in self._kept():
            if stored.fields.updated_at in window:
                yield self.documents.item(stored)
        yield Checkpoint(cursor or {})

    def entries(self) -> Iterator[ListingEntry]:
        return map(self.documents.entry, self._kept())

    def _kept(self) -> Iterator[StoredDocument]:
        """All documents that the unit has."""
        for page in self._pages(0):
            yield from (one for one in page if not isinstance(one, RemovedDocument))

    def _pages(self, after: int) -> Iterator[list[StoredDocument | RemovedDocument]]:
        while page := [*self.store.changes(self.unit.id, after, DOCUMENTS_AT_ONCE)]:
            yield page
            after = page[-1].number
