"""Units: what is outermost in reach, all of it or that which holds what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from connectors.contract import Failed
from connectors.isolation import Isolation
from connectors.model import Unit
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.cursor import NotionCursor
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.payloads import url_of
from connectors.notion.search_listing import SearchListing
from connectors.notion.settings import NotionConnection


@dataclass(frozen=True, slots=True)
class TopLevel:
    """What is outermost in one listing."""

    connection: NotionConnection
    client: NotionClient
    hierarchy: Hierarchy

    def units(self, roots: Iterable[NotionObject]) -> Iterator[Unit]:
        """Those of `roots`, by their titles, that the settings include, as they are now."""
        isolation = Isolation(lambda: self.client.requests)
        for root in sorted(roots, key=lambda root: (root.title, root.ref)):
            read = isolation.attempt(root.ref.id, root.title, partial(self.hierarchy.current, root.ref))
            # One that cannot be read now is a unit as it was listed.
            current = root if read is None or isinstance(read, Failed) else read
            if self.connection.includes(root.ref.id, current.title):
                yield Unit(root.ref.id, current.title, url_of(current), access.readers(self.connection, [root]))

    def above(self, refs: Iterable[Ref]) -> list[NotionObject]:
        """The roots that these are in. What is in the trash has none, nor what cannot be told now: its read says so."""
        isolation = Isolation(lambda: self.client.requests)
        found = [isolation.attempt(ref.id, "", partial(self._root_of, ref)) for ref in refs]
        return list({root.ref: root for root in found if isinstance(root, NotionObject)}.values())

    def _root_of(self, ref: Ref) -> NotionObject | None:
        found = self.hierarchy.visible(ref)
        return None if found is None or self.hierarchy.is_trashed(found) else self.hierarchy.root(found)


def unread_since(cursors: Sequence[NotionCursor]) -> datetime | None:
    """How far back search has to go for all of them; None if to its end."""
    since = [cursor.unread_since for cursor in cursors]
    return None if None in since else min((one for one in since if one), default=None)


def due_for(cursors: Sequence[NotionCursor], listing: SearchListing) -> list[Ref]:
    """What any of these would read."""
    return [entry.ref for entry in listing.entries if any(cursor.is_due(entry) for cursor in cursors)]
