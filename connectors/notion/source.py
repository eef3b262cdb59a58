"""Notion as a connector: a top-level page or database is a unit; pages, rows and databases are its documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import httpx

from connectors.connection import NotionConnection
from connectors.errors import AccessDenied, SourceError
from connectors.model import Checkpoint, Cursor, Deleted, Finding, Item, Membership, Unit, Window, group_token
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.listing import Listing, listed
from connectors.notion.nodes import Ref
from connectors.notion.progress import Progress
from connectors.notion.reading import Reading
from connectors.notion.tree import Tree

OBJECTS_PER_CHECKPOINT = 20


def connect(connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> NotionConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return NotionConnector(connection, NotionClient(connection, transport))


class NotionConnector:
    """Reads what is shared with an integration. See `connectors.model.Connector`.

    Search has no filter by page, so one listing serves all units, each once: reading a unit a second time
    asks anew.
    """

    def __init__(self, connection: NotionConnection, client: NotionClient) -> None:
        self._connection = connection
        self._client = client
        self._listing: Listing | None = None
        self._served: set[str] = set()
        self._names: Mapping[str, str] | None = None

    @property
    def requests(self) -> int:
        return self._client.requests

    def close(self) -> None:
        self._client.close()

    def check(self) -> list[Finding]:
        """Who the integration is, whether it sees people, and how much is shared with it."""
        findings: list[Finding] = []
        for subject, looked_at in (
            ("credentials", self._credentials),
            ("people", self._people_in_reach),
            ("pages", self._pages_in_reach),
        ):
            try:
                findings.append(looked_at())
            except SourceError as error:
                return [*findings, Finding(subject, False, str(error))]
        return findings

    def units(self) -> Iterator[Unit]:
        listing = self._listed(None)
        roots = listing.tree.roots(entry.ref for entry in listing.entries)
        for root in sorted(roots, key=lambda root: (root.title, root.ref)):
            if self._connection.admits(root.ref.id, root.title):
                yield Unit(root.ref.id, root.title, str(root.payload.get("url") or ""))

    def memberships(self) -> Iterator[Membership]:
        return access.memberships(self._connection, self._client)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Pages and databases by their last edit, the oldest first. See `Connector.read`.

        A read of everything also follows pages and rows that search did not name.
        """
        progress = Progress.resumed(None if window else cursor)
        listing = self._listing_for(unit, window.since if window else progress.begin)
        reading = self._reading(unit, listing.tree)
        known = {entry.ref for entry in listing.entries}
        emitted = 0
        for entry in listing.entries:
            due = entry.edited in window if window else progress.is_due(entry)
            if due and reading.holds(entry.ref):
                yield reading.item(entry.ref)
                if progress.whole and not window:
                    yield from reading.items_below(known)
                progress.emitted(entry, listing.asked_at)
                emitted += 1
            progress.passed(entry)
            if emitted == OBJECTS_PER_CHECKPOINT and not window:
                emitted = 0
                yield Checkpoint(progress.cursor())
        progress.whole = False
        yield Checkpoint(cursor or {}) if window else Checkpoint(progress.cursor(), complete=not cursor)

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `Connector.fetch`. `Deleted` also stands for an object that has moved to another unit."""
        reading = self._reading(unit, Tree(self._client))
        for document_id in document_ids:
            own = document_id.removeprefix(f"notion:{self._connection.id}/")
            page = reading.item(Ref("page", own))
            yield reading.item(Ref("database", own)) if isinstance(page, Deleted) else page

    def _reading(self, unit: Unit, tree: Tree) -> Reading:
        return Reading(self._connection, self._client, tree, unit, self._people)

    def _listing_for(self, unit: Unit, since: datetime | None) -> Listing:
        """The listing at hand, if it reaches back far enough and this unit was not read by it before."""
        listing = self._listing
        if listing is None or unit.id in self._served or not listing.reaches(since):
            listing = self._listed(since)
        self._served.add(unit.id)
        return listing

    def _listed(self, since: datetime | None) -> Listing:
        self._listing = listed(self._client, since)
        self._served = set()
        self._names = None
        return self._listing

    def _people(self) -> Mapping[str, str]:
        if self._names is None:
            self._names = access.names(self._client)
        return self._names

    def _credentials(self) -> Finding:
        user = self._client.me()
        workspace = (user.get("bot") or {}).get("workspace_name")
        name = f"integration {user.get('name') or user.get('id')}"
        return Finding("credentials", True, f"{name} of {workspace}" if workspace else name)

    def _people_in_reach(self) -> Finding:
        """Only where readers are the workspace's people does anything depend on seeing them."""
        if group_token(self._connection.id, access.WORKSPACE) not in access.readers(self._connection):
            return Finding("people", True, "not asked for: `readers` names who may read")
        try:
            count = len(list(self.memberships()))
        except AccessDenied as error:
            return Finding("people", False, f"{error}; give the integration the capability to read users with e-mail")
        advice = "" if count else "; give the integration the capability to read users with their e-mail addresses"
        return Finding("people", count > 0, f"{count} with an e-mail address{advice}")

    def _pages_in_reach(self) -> Finding:
        """One page of search tells: listing all would take long in a large workspace."""
        page = next(self._client.search())
        more = "at least " if page.next_cursor else ""
        advice = "" if page.items else "; share pages with the integration (`Connections` in a page's menu)"
        return Finding("pages", bool(page.items), f"{more}{len(page.items)} pages and databases in reach{advice}")
