"""Notion as a connector: a top-level page or database is a unit; pages, rows and databases are its documents."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import httpx

from connectors.contract import Checkpoint, Cursor, Deleted, Finding, Item, ListingEntry, Membership, Window
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    RateLimited,
    SourceError,
    TransientError,
)
from connectors.model import Unit, group_token
from connectors.notion import access
from connectors.notion.client import OLDER_VERSION, NotionClient
from connectors.notion.comments import Comments
from connectors.notion.context import Account
from connectors.notion.cursor import Progress
from connectors.notion.file_store import FileStore
from connectors.notion.hierarchy import Tree
from connectors.notion.objects import KINDS, Ref
from connectors.notion.reader import Reading
from connectors.notion.search_listing import Listing, listed
from connectors.notion.settings import NotionConnection

OBJECTS_PER_CHECKPOINT = 20
BELOW = "below"
"""`<connection>/<page>/below` is no document: fetching it looks again at all that stands below the page."""
_LOOKED_UP_FOR = 30.0
"""Seconds for which what `unit_of` found is kept for the `fetch` that follows."""
_PAGES_REMEMBERED = 5_000
"""Pages whose files this instance remembers to have fetched."""


def connect(connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> NotionConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return NotionConnector(connection, NotionClient(connection, transport), FileStore(connection, transport))


class NotionConnector:
    """Reads what is shared with an integration. See `connectors.contract.Connector`.

    Search has no filter by page, so one listing serves all units, each once: reading a unit a second time
    asks anew.
    """

    def __init__(self, connection: NotionConnection, client: NotionClient, store: FileStore) -> None:
        self._connection = connection
        self._client = client
        self._store = store
        comments = Comments(client, on_blocks=connection.block_comments)
        self._account = Account(connection, client, store, comments, self._people)
        self._listing: Listing | None = None
        self._served: set[str] = set()
        self._names: Mapping[str, str] | None = None
        self._looked_up: tuple[Tree, float] | None = None
        self._met: set[Ref] = set()
        self._fetched_files: dict[str, dict[str, str]] = {}

    @property
    def requests(self) -> int:
        return self._client.requests + self._store.requests

    def close(self) -> None:
        self._client.close()
        self._store.close()

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
        """See `Connector.units`. Those that events told of are among them, though search may not show them yet."""
        listing = self._listed(None)
        tree = listing.tree
        readers = access.readers(self._connection)
        refs = {entry.ref for entry in listing.entries} | self._met
        for root in sorted(tree.roots(refs), key=lambda root: (root.title, root.ref)):
            whole = tree.at_best(root)
            if self._connection.includes(root.ref.id, whole.title):
                yield Unit(root.ref.id, whole.title, str(whole.payload.get("url") or ""), readers)

    def unit_of(self, document_id: str) -> str | None:
        """See `Connector.unit_of`. What is below a page in the trash is in the unit that the page was in."""
        own, *more = self._names_in(document_id)
        tree = self._lookup()
        try:
            found = next((one for kind in KINDS if (one := tree.seen(Ref(kind, own)))), None)
            chain = tree.chain(found) if found else ()
        except TransientError:
            self._looked_up = None  # it would fail again without asking
            raise
        if found is None:
            return None
        root = chain[0] if chain else found
        if more != [BELOW] and (found.trashed or any(above.trashed for above in chain)):
            return None
        if not self._connection.includes(root.ref.id, root.title):
            return None
        self._met.add(root.ref)
        return root.ref.id

    def memberships(self) -> Iterator[Membership]:
        return access.memberships(self._connection, self._client)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        """See `Connector.listing`. Files are not named: no listing shows them, they are as their page is."""
        listing = self._listing_for(f"listing of {unit.id}", None)
        if listing.cut:
            raise InvalidResponse(f"{self._connection.base_url}/v1/search", "it does not name all pages")
        reading = Reading(self._account, listing.tree, unit)
        for entry in listing.entries:
            found = listing.tree.seen(entry.ref)
            if found and reading.holds(entry.ref) and not reading.in_trash(entry.ref):
                document_id = self._account.document_id(entry.ref.id)
                yield ListingEntry(document_id, found.title, entry.edited, reading.mark(entry.ref))

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Pages and databases by their last edit, the oldest first. See `Connector.read`.

        A read of everything also follows pages and rows that search did not name; and so does one that finds a
        container to be new, renamed, moved, or with other properties, since what stands below shows that.
        """
        progress = Progress.resumed(None if window else cursor)
        listing = self._listing_for(unit.id, window.since if window else progress.begin)
        reading = Reading(self._account, listing.tree, unit)
        if window:
            yield from _inside(listing, reading, window)
            yield Checkpoint(cursor or {})
            return
        yield from self._changed(listing, reading, progress)
        progress.whole = False
        complete = not (cursor or listing.cut or progress.held_back or progress.waiting)
        yield Checkpoint(progress.cursor(), complete=complete)

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `Connector.fetch`. `Deleted` also stands for an object that has moved to another unit."""
        tree = self._lookup()
        self._looked_up = None
        reading = Reading(self._account, tree, unit)
        below: dict[str, tuple[Ref, ...]] = {}
        for document_id in document_ids:
            own, *more = self._names_in(document_id)
            ref = _ref(tree, own)
            if more == [BELOW]:
                yield from self._below(reading, list(below.get(own) or self._refs_below(reading, ref)))
            elif more:
                yield reading.file(ref, more[-1])
            else:
                yield from self._again(reading, ref)
                below[own] = reading.below
                if ref.id != own:  # a data source, which is part of its database
                    yield Deleted(document_id)

    def _changed(self, listing: Listing, reading: Reading, progress: Progress) -> Iterator[Item]:
        """All that is due, with checkpoints between."""
        due = [entry.ref for entry in listing.entries if progress.is_due(entry)]
        known = {entry.ref for entry in listing.entries} if progress.whole else set(due)
        yield from self._waiting(reading, progress, known)
        emitted = 0
        for entry in listing.entries:
            is_due = progress.is_due(entry)
            held = reading.holds_now(entry.ref) if is_due else False
            if held is None:
                progress.held_back, is_due = True, False
            if held:
                yield from _items(reading, entry.ref, progress)
                progress.waiting.extend(progress.placed(entry.ref.id, reading.place, reading.below))
                emitted += 1
            if is_due:
                progress.looked_at(entry, listing.asked_at)
            progress.passed(entry)
            yield from self._waiting(reading, progress, known)
            if emitted == OBJECTS_PER_CHECKPOINT:
                emitted = 0
                yield Checkpoint(progress.cursor())

    def _waiting(self, reading: Reading, progress: Progress, known: set[Ref]) -> Iterator[Item]:
        """What is to be read because of what stands above it, and all below that."""
        for read, ref in enumerate(reading.following(progress.waiting, known), start=1):
            yield from _items(reading, ref, progress)
            progress.placed(ref.id, reading.place, reading.below)
            progress.waiting.extend(reading.below)
            if read % OBJECTS_PER_CHECKPOINT == 0:
                yield Checkpoint(progress.cursor())

    def _again(self, reading: Reading, ref: Ref) -> Iterator[Item]:
        """An object as it is now, with the files that this instance has not fetched yet."""
        if len(self._fetched_files) > _PAGES_REMEMBERED:
            self._fetched_files.clear()
        files = self._fetched_files.setdefault(ref.id, {})
        for item in reading.items(ref, files):
            yield item
            if isinstance(item, Deleted) and not files:
                _, attachments = reading.remains(ref)
                yield from (Deleted(self._account.file_id(ref.id, one.key)) for one in attachments)

    def _below(self, reading: Reading, waiting: list[Ref]) -> Iterator[Item]:
        for ref in reading.following(waiting, set()):
            yield from self._again(reading, ref)
            waiting.extend(reading.below or reading.remains(ref)[0])
        if reading.untold:
            raise reading.untold

    def _refs_below(self, reading: Reading, ref: Ref) -> tuple[Ref, ...]:
        reading.item(ref)
        return reading.below or reading.remains(ref)[0]

    def _names_in(self, document_id: str) -> list[str]:
        return document_id.removeprefix(self._account.document_id()).split("/")

    def _lookup(self) -> Tree:
        """The tree that `unit_of` and the next `fetch` share: an object that changes meanwhile has an event coming."""
        if self._looked_up is None or time.monotonic() - self._looked_up[1] > _LOOKED_UP_FOR:
            self._looked_up = (Tree(self._client), time.monotonic())
        return self._looked_up[0]

    def _listing_for(self, reader: str, since: datetime | None) -> Listing:
        """The listing at hand, if it reaches back far enough and this reader did not have it before."""
        listing = self._listing
        if listing is None or reader in self._served or not listing.reaches(since):
            listing = self._listed(since)
        self._served.add(reader)
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
        older = f", API version {OLDER_VERSION}" if self._client.version == OLDER_VERSION else ""
        return Finding("credentials", True, f"{name} of {workspace}{older}" if workspace else f"{name}{older}")

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


def _inside(listing: Listing, reading: Reading, window: Window) -> Iterator[Item]:
    for entry in listing.entries:
        if entry.edited in window and reading.holds(entry.ref):
            yield from reading.items(entry.ref, {})


def _items(reading: Reading, ref: Ref, progress: Progress) -> Iterator[Item]:
    files = dict(progress.files.get(ref.id, {}))
    yield from reading.items(ref, files)
    progress.with_files(ref.id, files)


def _ref(tree: Tree, own: str) -> Ref:
    """An id as what it is: a page, a database, or a database's data source, which stands for the database."""
    for kind in KINDS:
        try:
            found = tree.find(Ref(kind, own))
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError:
            return Ref(kind, own)  # reading it says what is wrong
        if found:
            return found.parent if kind == "data_source" and found.parent else found.ref
    return Ref("page", own)
