"""Notion as a connector: a top-level page or database is a unit; pages, rows and databases are its documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import httpx

from connectors.contract import (
    Account,
    Checkpoint,
    Cursor,
    Deleted,
    Failed,
    Finding,
    Item,
    ListingEntry,
    MembershipItem,
    PartState,
    Window,
    holder_of,
)
from connectors.errors import InvalidResponse, TransientError
from connectors.model import Unit
from connectors.notion import access
from connectors.notion.checks import check
from connectors.notion.client import NotionClient
from connectors.notion.comments import NotionComments
from connectors.notion.context import NotionContext
from connectors.notion.cursor import NotionCursor
from connectors.notion.file_store import FileStore
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.lacking import catch_up
from connectors.notion.object_reader import NotionObjectReader, ObjectRead
from connectors.notion.objects import KINDS, Ref
from connectors.notion.part_table import SEARCH, watch_parts
from connectors.notion.payloads import NotionUser
from connectors.notion.reader import NotionUnitReader, read_window
from connectors.notion.refetch import NotionRefetch
from connectors.notion.search_listing import SearchListing
from connectors.notion.settings import NotionConnection
from connectors.notion.snapshots import EventContext, People, SyncSnapshot
from connectors.notion.synced_blocks import OriginalBlocks, SyncedCopies
from connectors.notion.top_level import TopLevel, due_for, unread_since
from connectors.part_watch import PartWatch


def connect(connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> NotionConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return NotionConnector(connection, NotionClient(connection, transport), FileStore(connection, transport))


class NotionConnector:
    """Reads what is shared with an integration. See `connectors.contract.Connector`.

    Between calls it keeps one listing for a pass over all units, and what events have shown lately (`snapshots`).
    """

    def __init__(self, connection: NotionConnection, client: NotionClient, store: FileStore) -> None:
        self._connection = connection
        self._client = client
        self._store = store
        self._comments = NotionComments(client, on_blocks=connection.block_comments)
        self._users: list[NotionUser] = []
        self._snapshot: SyncSnapshot | None = None
        self._event_context: EventContext | None = None

    @property
    def requests(self) -> int:
        return self._client.requests + self._store.requests

    def close(self) -> None:
        self._client.close()
        self._store.close()

    def check(self) -> list[Finding]:
        return check(self._connection, self._client)

    def units(self) -> Iterator[Unit]:
        """See `Connector.units`. Those that events pointed at are among them, though search may not show them yet.

        Raises UnreadableUnits after all others where search does not name everything.
        """
        self._snapshot = SyncSnapshot.take(self._client, None)
        listing = self._snapshot.listing
        refs = {entry.ref for entry in listing.entries} | self._events.roots
        yield from self._top_level(listing).units(listing.hierarchy.roots(refs))
        self._snapshot.require_whole(self._search_url)

    def changed_units(self, cursors: Collection[Cursor]) -> Iterator[Unit]:
        """See `ChangedUnits.changed_units`. One request, unless more than a page of search has been edited lately."""
        starts = [NotionCursor.from_json(cursor) for cursor in cursors]
        self._snapshot = SyncSnapshot.take(self._client, unread_since(starts), of_changes=True)
        self._snapshot.require_whole(self._search_url)
        listing = self._snapshot.listing
        top_level = self._top_level(listing)
        yield from top_level.units(top_level.above(due_for(starts, listing)))

    def unit_of(self, document_id: str) -> str | None:
        """See `Connector.unit_of`. What is below a page in the trash is in the unit that the page was in."""
        own, *_ = self._context(self._events.people, watch_parts()).path_of(document_id)
        hierarchy = self._events.hierarchy()
        try:
            found = next((one for kind in KINDS if (one := hierarchy.visible(Ref(kind, own)))), None)
            if found is None or (not holder_of(document_id) and hierarchy.is_trashed(found)):
                return None
            root = hierarchy.root(found)
        except TransientError:
            self._events.end_round()
            raise
        if not self._connection.includes(root.ref.id, root.title):
            return None
        self._events.roots.add(root.ref)
        return root.ref.id

    def memberships(self) -> Iterator[MembershipItem]:
        self._users.clear()
        return access.memberships(self._connection, self._client, self._users)

    def accounts(self) -> Iterator[Account]:
        """See `TellsAccounts.accounts`: the workspace's people and bots, where it is asked for them."""
        return (Account(user.id, user.name, emails=(user.person.email,)) for user in self._users if user.id)

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        """See `Connector.listing`. Files are not named: no listing shows them, they are as their page is."""
        snapshot = self._snapshot_for(f"listing of {unit.id}", None)
        listing = snapshot.listing
        context = self._context(snapshot.people, snapshot.parts)
        snapshot.begin_unit()
        yield from snapshot.parts.states({SEARCH: [context.document_id("")]})
        if snapshot.refusal:
            return
        if listing.cut:
            raise InvalidResponse(self._search_url, "it does not name all pages")
        objects = NotionObjectReader(context, listing.hierarchy, unit)
        for entry in listing.entries:
            found = listing.hierarchy.visible(entry.ref)
            if found and objects.contains(entry.ref) and not listing.hierarchy.is_trashed(found):
                fingerprint = objects.fingerprint(found)
                parents = tuple(context.document_id(one.ref.id) for one in listing.hierarchy.ancestors(found))
                yield ListingEntry(context.document_id(entry.ref.id), found.title, entry.edited, fingerprint, parents)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Pages and databases by their last edit, the oldest first. See `Connector.read`.

        A read of everything also follows pages and rows that search did not name; and so does one that finds a
        container to be new, renamed, moved, or with other properties, since what is below shows that.
        """
        start = NotionCursor.from_json(None if window else cursor).for_readers(
            access.readers_fingerprint(self._connection)
        )
        snapshot = self._snapshot_for(unit.id, window.since if window else self._since(start))
        snapshot.begin_unit()
        context = self._context(snapshot.people, snapshot.parts)
        if snapshot.refusal:
            yield from snapshot.parts.states({SEARCH: [context.document_id("")]})
            yield Checkpoint(cursor or {})
            return
        start = catch_up(start, context)
        if not snapshot.listing.reaches(self._since(start)):
            snapshot = self._snapshot_for(unit.id, start.begin)
        objects = NotionObjectReader(context, snapshot.listing.hierarchy, unit)
        try:
            if window:
                yield from read_window(objects, snapshot.listing, window)
                yield Checkpoint(cursor or {})
            else:
                yield from NotionUnitReader(objects, snapshot.listing, start, snapshot.originals).read()
        except TransientError:
            yield from objects.part_states()
            raise

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `Connector.fetch`. `Deleted` also stands for an object that has moved to another unit."""
        events = self._events
        hierarchy = events.hierarchy()
        events.end_round()
        known = self._snapshot.parts if self._snapshot and not self._snapshot.parts.is_over else watch_parts()
        known.begin_unit()
        context = self._context(events.people, known)
        objects = NotionObjectReader(context, hierarchy, unit, as_a_whole=True)
        refetch = NotionRefetch(context, objects, events.files)
        reads: dict[str, ObjectRead] = {}
        for document_id in document_ids:
            own, *rest = context.path_of(document_id)
            if holder_of(document_id):  # no document, that could fail alone
                yield from refetch.read_below(reads.get(own) or objects.read(hierarchy.resolve(own)))
            elif isinstance(ref := objects.resolve(document_id), Failed):
                yield ref
            elif rest:
                yield objects.read_file(ref, rest[-1])
            else:
                reads[own] = yield from refetch.read(ref)
                if ref.id != own:  # a data source, which is part of its database
                    yield Deleted(document_id)
        yield from known.incomplete()

    def find_dependents(self, document_ids: Collection[str], cursors: Mapping[str, Cursor]) -> dict[str, list[str]]:
        """See `Dependents.find_dependents`: pages that show synced blocks of others."""
        context = self._context(self._events.people, watch_parts())
        originals = OriginalBlocks(self._client, Hierarchy(self._client))
        pages = {own for document_id in document_ids for own, *rest in [context.path_of(document_id)] if not rest}
        found: dict[str, list[str]] = {}
        for unit, cursor in cursors.items():
            copies = SyncedCopies.from_json(cursor)
            for page in pages.intersection(copies.homes.values()):
                outdated = map(context.document_id, originals.outdated(copies, page))
                found.setdefault(unit, []).extend(one for one in outdated if one not in document_ids)
        return {unit: list(dict.fromkeys(ids)) for unit, ids in found.items() if ids}

    @property
    def _search_url(self) -> str:
        return f"{self._connection.base_url}/v1/search"

    def _top_level(self, listing: SearchListing) -> TopLevel:
        return TopLevel(self._connection, self._client, listing.hierarchy)

    def _since(self, start: NotionCursor) -> datetime | None:
        """From when a read asks for objects: after `changed_units`, what was named there is enough."""
        return start.unread_since if self._snapshot and self._snapshot.of_changes else start.begin

    def _context(self, people: People, parts: PartWatch) -> NotionContext:
        return NotionContext(self._connection, self._client, self._store, self._comments, people, parts)

    @property
    def _events(self) -> EventContext:
        if self._event_context is None or self._event_context.is_over:
            self._event_context = EventContext(self._client)
        return self._event_context

    def _snapshot_for(self, reader: str, since: datetime | None) -> SyncSnapshot:
        """The one at hand, if it reaches back far enough and this reader did not have it before."""
        if self._snapshot is None or not self._snapshot.serves(reader, since):
            self._snapshot = SyncSnapshot.take(self._client, since)
        self._snapshot.serve(reader)
        return self._snapshot
