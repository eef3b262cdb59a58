"""Drive as one Google account sees it: its units, and the reads of each.

A full read lists a unit; later ones follow Drive's changes feed, which names edits, moves, renames,
permissions and removals. A server without that feed is asked for what was modified since, and then only a
full read notices the rest. Rights alone are read in the same ways, without contents.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import httpx

from connectors.contract import (
    ChangeItem,
    Checkpoint,
    Cursor,
    Deleted,
    Failed,
    Finding,
    FindLanded,
    Item,
    ListingEntry,
    MembershipCache,
    MembershipItem,
    ObjectItem,
    PartState,
    RightsItem,
    Window,
)
from connectors.drive.changes import ChangesReader, CursorRefused, FeedFailing
from connectors.drive.changes_feed import ChangesFeed
from connectors.drive.checks import check
from connectors.drive.client import DriveClient
from connectors.drive.credentials import Authorization
from connectors.drive.cursor import ChangesCursor, DriveCursor, ListingCursor, ModifiedCursor, parse_cursor
from connectors.drive.directory import GoogleDirectory, Person
from connectors.drive.documents import DriveDocuments, FileItem, Found, ReadFiles, ReadItem
from connectors.drive.folders import FolderTree, LocatedFile
from connectors.drive.lacking import take_lacking
from connectors.drive.part_table import CHANGES, LISTING, PARTS_BY_NAME
from connectors.drive.push_channels import ChannelState, renew_channels
from connectors.drive.reader import DriveUnitReader
from connectors.drive.rights import read_rights
from connectors.drive.settings import DriveConnection
from connectors.drive.sharing import DriveSharing
from connectors.drive.units import DriveUnits
from connectors.drive.unlisted_changes import UnitPlace, unlisted_changes
from connectors.drive.watch import watch_parts
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    SourceError,
    TransientError,
    Unavailable,
    UnreadableUnits,
)
from connectors.isolation import Isolation
from connectors.model import Document, Unit
from connectors.part_watch import LackingObjects
from connectors.source_parts import listing_gap

logger = logging.getLogger(__name__)


class DriveConnector:
    """Reads what one Google account sees of Drive: see `connectors.contract.Connector`.

    Where several people's drives are read (`connectors.drive.delegation`), it reads what its `owner` owns, or for
    none of them the shared drives alone (`only_shared`).
    """

    def __init__(
        self,
        connection: DriveConnection,
        transport: httpx.BaseTransport | None = None,
        *,
        owner: Person | None = None,
        authorization: Authorization | None = None,
        only_shared: bool = False,
    ) -> None:
        self._connection = connection
        self._client = DriveClient(connection, transport, authorization)
        url = None if owner else connection.directory_url
        self._directory = GoogleDirectory(connection, url, transport) if url else None
        self._feed = ChangesFeed(self._client)
        self._folders = FolderTree(self._client, owner)
        self._sharing = DriveSharing(self._client, self._folders, connection)
        self._documents = DriveDocuments(self._client, self._folders, self._sharing, connection)
        self._units = DriveUnits(
            connection, self._client, self._folders, self._sharing, self._documents, only_shared=only_shared
        )

    @property
    def requests(self) -> int:
        """How many HTTP requests this connector has sent."""
        return self._client.requests + (self._directory.requests if self._directory else 0)

    def close(self) -> None:
        self._documents.close()
        self._client.close()
        if self._directory:
            self._directory.close()

    def check(self) -> list[Finding]:
        """Try the credentials, and each part on a real file."""
        return check(self._connection, self._client, self._folders, self._sharing, self._directory)

    def units(self) -> Iterator[Unit]:
        """Shared drives, folders at the top of what the account sees, and `root` for what lies in none."""
        self._documents.parts = watch_parts()
        self._feed.forget()
        self._units.refresh()
        if self._units.refused:
            raise UnreadableUnits(gaps=[listing_gap(PARTS_BY_NAME[LISTING], self._units.refused)])
        yield from self._units.entries()

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """See `connectors.contract.Connector`. A cursor that Drive no longer accepts leads to a full read."""
        return self._read(unit, cursor, self._content_reads(), window)

    def read_changes(self, unit: Unit, cursor: Cursor, find_landed: FindLanded) -> Iterator[ChangeItem]:
        """See `connectors.contract.ComparesContents`. A read of everything that was interrupted reads all that is left
        of it: somebody may want the contents themselves."""
        if isinstance(parse_cursor(cursor), ListingCursor):
            return self.read(unit, cursor)
        changed = partial(self._documents.read_changed, isolation=self._isolation(), find_landed=find_landed)
        return self._read(unit, cursor, changed)

    def _read(
        self, unit: Unit, cursor: Cursor | None, read_files: ReadFiles[Found], window: Window | None = None
    ) -> Iterator[ReadItem[Found | ObjectItem]]:
        self._units.begin()
        if refused := self._units.refused:
            yield from self._lost_meanwhile(unit, parse_cursor(cursor), refused)
            yield from self._units.listing_states()
            yield Checkpoint(cursor or {})
        elif window is not None:
            yield from self._reader(unit, read_files).read_window(window)
        else:
            yield from self._read_and_catch_up(unit, cursor, read_files)

    def _read_and_catch_up(
        self, unit: Unit, cursor: Cursor | None, read_files: ReadFiles[Found]
    ) -> Iterator[ReadItem[Found | ObjectItem]]:
        """As `read`, and what was read without comments or sheets, once these can be had."""
        lacking = LackingObjects.from_json((cursor or {}).get("lacking"))
        again, is_much = take_lacking(lacking, self._documents.parts, self._client)
        if is_much:
            cursor = None
        yield from self._fetch(self._content_reads(), map(self._documents.document_id, again))
        self._documents.lacking.clear()
        try:
            for item in self._read_since(unit, read_files, parse_cursor(cursor)):
                yield self._with_lacking(item, lacking) if isinstance(item, Checkpoint) else item
        except TransientError:
            yield from self._documents.parts.states()
            raise

    def _lost_meanwhile(self, unit: Unit, cursor: DriveCursor | None, refused: SourceError) -> Iterator[Item]:
        """What the changes feed tells to be taken away while listings are refused, or fail."""
        if not isinstance(cursor, ChangesCursor):
            return
        try:
            is_drive = any(drive.id == unit.id for drive in self._client.drives())
            place = UnitPlace(unit.id, cursor.folders, self._folders, is_drive=is_drive)
            for page in self._feed.pages(unit.id, cursor.token, unit.id if is_drive else None):
                yield from unlisted_changes(page.changes, place, self._documents, refused)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            logger.warning("%s: what has changed cannot be told: %s", unit.name, error)

    def _with_lacking(self, checkpoint: Checkpoint, lacking: LackingObjects) -> Checkpoint:
        """The cursor also says which files were read without something."""
        for part, file_id in self._documents.lacking:
            lacking.note(part, file_id)
        self._documents.lacking.clear()
        noted = {"lacking": found} if (found := lacking.as_json()) else {}
        return replace(checkpoint, cursor={**checkpoint.cursor, **noted})

    def read_rights(self, unit: Unit, cursor: Cursor | None = None) -> Iterator[RightsItem | Checkpoint]:
        """See `connectors.contract.RightsFeed`."""
        read_files = partial(self._documents.read_readers, isolation=self._isolation())

        def read_since(position: DriveCursor | None) -> Iterator[RightsItem | Checkpoint]:
            for item in self._read_since(unit, read_files, position):
                if not isinstance(item, PartState):
                    yield item

        return read_rights(cursor, read_since, partial(self._fetch, read_files))

    def renew_channels(self, state: ChannelState, now: datetime) -> ChannelState:
        """See `connectors.contract.PushChannels` and `connectors.drive.push_channels`."""
        if not self._connection.webhook_url:
            return {}
        return renew_channels(self._client, self._connection, self._folders.drives, state, now)

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        """See `connectors.contract.Connector`."""
        self._units.begin()
        yield from self._units.listing_states()
        if not self._units.refused:
            yield from self._reader(unit, self._content_reads()).entries()

    def unit_of(self, document_id: str) -> str | None:
        """See `connectors.contract.Connector`."""
        if not document_id.startswith(self._documents.document_id("")):
            return None
        try:
            located = self._find(document_id)
        except AccessDenied:
            return None
        return located.location.unit if isinstance(located, LocatedFile) else None

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `connectors.contract.Connector`. A document that moved carries the unit that it is in now."""
        if self._documents.parts.is_over:
            self._documents.parts = watch_parts()
        self._documents.parts.begin_unit()
        yield from self._fetch(self._content_reads(as_a_whole=True), document_ids)
        yield from self._documents.parts.incomplete()

    def memberships(self) -> Iterator[MembershipItem]:
        """Members of groups, where the connection names Google's Directory API; Drive itself has none.

        A person's domain is known without: see `connectors.drive.access.domain_groups`.
        """
        return self._memberships(None)

    def cached_memberships(self, cache: MembershipCache) -> Iterator[MembershipItem]:
        """See `CachedMemberships.cached_memberships`."""
        return self._memberships(cache)

    def _memberships(self, cache: MembershipCache | None) -> Iterator[MembershipItem]:
        return self._directory.memberships(self._client.permission_id, cache) if self._directory else iter(())

    def _fetch(self, read_files: ReadFiles[Found], document_ids: Iterable[str]) -> Iterator[FileItem[Found]]:
        finding = self._isolation()
        located: list[LocatedFile] = []
        left = dict.fromkeys(document_ids)
        try:
            for document_id in list(left):
                found = finding.attempt(document_id, "", partial(self._find, document_id))
                if isinstance(found, LocatedFile):
                    located.append(found)
                else:
                    left.pop(document_id)
                    yield replace(found, hides=True) if isinstance(found, Failed) else found
            for item in read_files(located):
                left.pop(item.id if isinstance(item, Document) else item.document_id)
                yield item
        except SourceError as error:
            # They are asked for because they have changed: who may read them now was not told.
            yield from (Failed(one, "", str(error), hides=True) for one in left)
            raise

    def _find(self, document_id: str) -> LocatedFile | Deleted:
        """A document's file; Deleted if it is gone, or in no unit that is read. Raises SourceError."""
        try:
            file = self._client.file(self._documents.file_id(document_id))
        except NotFound:
            return Deleted(document_id, is_unfound=True)
        location = self._folders.locate(file)
        is_read = not file.trashed and not file.is_folder and self._units.includes(location)
        return LocatedFile(file, location) if is_read else Deleted(document_id)

    def _read_since(
        self, unit: Unit, read_files: ReadFiles[Found], cursor: DriveCursor | None
    ) -> Iterator[ReadItem[Found]]:
        reader = self._reader(unit, read_files)
        if isinstance(cursor, ChangesCursor | ListingCursor) and cursor.restrictions != reader.restrictions:
            yield from reader.read_all(None)  # other people may read files that have not changed
        elif isinstance(cursor, ChangesCursor):
            yield from self._read_changes(reader, cursor)
        elif isinstance(cursor, ModifiedCursor) and not reader.has_feed():
            yield from reader.read_modified(cursor)
        elif isinstance(cursor, ModifiedCursor):
            yield from reader.read_all(None)  # what the feed would have told meanwhile
        else:
            yield from reader.read_all(cursor)

    def _read_changes(self, reader: DriveUnitReader[Found], cursor: ChangesCursor) -> Iterator[ReadItem[Found]]:
        changes = ChangesReader(
            self._client,
            self._feed,
            self._folders,
            self._documents,
            reader.unit,
            self._units.includes,
            reader.read_files,
            self._isolation(),
        )
        try:
            yield from changes.read(cursor)
        except CursorRefused:
            yield from reader.read_all(None)
        except FeedFailing as failing:
            parts = self._documents.parts
            parts.tell(CHANGES, Unavailable("changes", str(failing)))
            yield from parts.states()
            yield Checkpoint(cursor.as_json())

    def _reader(self, unit: Unit, read_files: ReadFiles[Found]) -> DriveUnitReader[Found]:
        return DriveUnitReader(
            self._client,
            self._folders,
            self._documents,
            unit,
            self._sharing.restrictions_fingerprint(unit.id),
            read_files,
            self._isolation(),
        )

    def _content_reads(self, *, as_a_whole: bool = False) -> ReadFiles[ObjectItem]:
        return partial(self._documents.read, isolation=self._isolation(), as_a_whole=as_a_whole)

    def _isolation(self) -> Isolation:
        return Isolation(lambda: self._client.requests)
