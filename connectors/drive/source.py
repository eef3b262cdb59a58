"""Google Drive as a connector: its units, and the reads of each.

A full read lists a unit; later ones follow Drive's changes feed, which names edits, moves, renames,
permissions and removals. A server without that feed is asked for what was modified since, and then only a
full read notices the rest. Rights alone are read in the same ways, without contents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import httpx

from connectors.contract import (
    Checkpoint,
    Cursor,
    Deleted,
    Failed,
    Finding,
    Item,
    ListingEntry,
    MembershipItem,
    RightsItem,
    Window,
)
from connectors.drive.changes import ChangesReader, CursorRefused
from connectors.drive.client import DriveClient
from connectors.drive.cursor import ChangesCursor, DriveCursor, ListingCursor, ModifiedCursor, parse_cursor
from connectors.drive.directory import GoogleDirectory
from connectors.drive.documents import DriveDocuments, FileItem, Found, ReadFiles
from connectors.drive.folders import ROOT, ROOT_NAME, FileLocation, FolderTree, LocatedFile
from connectors.drive.payloads import DriveFile
from connectors.drive.push_channels import ChannelState, renew_channels
from connectors.drive.query import FILES
from connectors.drive.reader import DriveUnitReader
from connectors.drive.rights import read_rights
from connectors.drive.settings import DriveConnection
from connectors.drive.sharing import DriveSharing
from connectors.errors import AccessDenied, NotFound, RequestRejected, SourceError
from connectors.isolation import Isolation
from connectors.model import Document, Unit

_WEB = "https://drive.google.com/drive"
_FILES_TO_TRY = 5


def connect(connection: DriveConnection, transport: httpx.BaseTransport | None = None) -> DriveConnector:
    """Open a connection. Nothing is sent before the first call on it."""
    return DriveConnector(connection, transport)


class DriveConnector:
    """Reads what one Google account sees of Drive: see `connectors.contract.Connector`."""

    def __init__(self, connection: DriveConnection, transport: httpx.BaseTransport | None = None) -> None:
        self._connection = connection
        self._client = DriveClient(connection, transport)
        url = connection.directory_url
        self._directory = GoogleDirectory(connection, url, transport) if url else None
        self._folders = FolderTree(self._client)
        self._sharing = DriveSharing(self._client, self._folders, connection.id)
        self._documents = DriveDocuments(self._client, self._folders, self._sharing, connection)

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
        """Try the credentials, and whether the account sees who may read its files."""
        try:
            user = self._client.about().user
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        findings = [Finding("credentials", True, f"signed in as {user.email_address or user.display_name}")]
        try:
            return [*findings, self._reach(), self._permissions_shown()]
        except SourceError as error:
            return [*findings, Finding("reach", False, str(error))]

    def units(self) -> Iterator[Unit]:
        """Shared drives, folders at the top of what the account sees, and `root` for what lies in none."""
        self._folders.refresh()
        yield from (unit for unit in self._all_units() if self._connection.includes(unit.id, unit.name))

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """See `connectors.contract.Connector`. A cursor that Drive no longer accepts leads to a full read."""
        if window is not None:
            yield from self._reader(unit, self._content_reads()).read_window(window)
        else:
            yield from self._read_since(unit, self._content_reads(), parse_cursor(cursor))

    def read_rights(self, unit: Unit, cursor: Cursor | None = None) -> Iterator[RightsItem | Checkpoint]:
        """See `connectors.contract.RightsFeed`."""
        read_files = partial(self._documents.read_readers, isolation=self._isolation())
        return read_rights(cursor, partial(self._read_since, unit, read_files), partial(self._fetch, read_files))

    def renew_channels(self, state: ChannelState, now: datetime) -> ChannelState:
        """See `connectors.contract.PushChannels` and `connectors.drive.push_channels`."""
        if not self._connection.webhook_url:
            return {}
        return renew_channels(self._client, self._connection, self._folders.drives, state, now)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        """See `connectors.contract.Connector`."""
        yield from self._reader(unit, self._content_reads()).entries()

    def unit_of(self, document_id: str) -> str | None:
        """See `connectors.contract.Connector`."""
        if not document_id.startswith(self._documents.document_id("")):
            return None
        try:
            located = self._find(document_id)
        except AccessDenied:
            return None
        return located.location.unit if located else None

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `connectors.contract.Connector`. A document that moved carries the unit that it is in now."""
        return self._fetch(self._content_reads(), document_ids)

    def memberships(self) -> Iterator[MembershipItem]:
        """Members of groups, where the connection names Google's Directory API; Drive itself has none.

        A person's domain is known without: see `connectors.drive.access.domain_groups`.
        """
        return self._directory.memberships() if self._directory else iter(())

    def _fetch(self, read_files: ReadFiles[Found], document_ids: Sequence[str]) -> Iterator[FileItem[Found]]:
        finding = self._isolation()
        located: list[LocatedFile] = []
        left = dict.fromkeys(document_ids)
        try:
            for document_id in document_ids:
                found = finding.attempt(document_id, "", partial(self._find, document_id))
                if isinstance(found, LocatedFile):
                    located.append(found)
                else:
                    left.pop(document_id)
                    yield replace(found, hides=True) if found else Deleted(document_id)
            for item in read_files(located):
                left.pop(item.id if isinstance(item, Document) else item.document_id)
                yield item
        except SourceError as error:
            # They are asked for because they have changed: who may read them now was not told.
            yield from (Failed(one, "", str(error), hides=True) for one in left)
            raise

    def _find(self, document_id: str) -> LocatedFile | None:
        """A document's file; None if it is gone, or in no unit that is read. Raises SourceError."""
        try:
            file = self._client.file(self._documents.file_id(document_id))
        except NotFound:
            return None
        location = self._folders.locate(file)
        is_read = not file.trashed and not file.is_folder and self._includes(location)
        return LocatedFile(file, location) if is_read else None

    def _read_since(
        self, unit: Unit, read_files: ReadFiles[Found], cursor: DriveCursor | None
    ) -> Iterator[FileItem[Found] | Checkpoint]:
        reader = self._reader(unit, read_files)
        if isinstance(cursor, ChangesCursor | ListingCursor) and cursor.restrictions != reader.restrictions:
            yield from reader.read_all(None)  # other people may read files that have not changed
        elif isinstance(cursor, ChangesCursor):
            yield from self._read_changes(reader, cursor)
        elif isinstance(cursor, ModifiedCursor):
            yield from reader.read_modified(cursor)
        else:
            yield from reader.read_all(cursor)

    def _read_changes(
        self, reader: DriveUnitReader[Found], cursor: ChangesCursor
    ) -> Iterator[FileItem[Found] | Checkpoint]:
        changes = ChangesReader(
            self._client,
            self._folders,
            self._documents,
            reader.unit,
            self._includes,
            reader.read_files,
            self._isolation(),
        )
        try:
            yield from changes.read(cursor)
        except CursorRefused:
            yield from reader.read_all(None)

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

    def _content_reads(self) -> ReadFiles[Document]:
        return partial(self._documents.read, isolation=self._isolation())

    def _isolation(self) -> Isolation:
        return Isolation(lambda: self._client.requests)

    def _includes(self, location: FileLocation) -> bool:
        return self._connection.includes(location.unit, location.unit_name)

    def _all_units(self) -> Iterator[Unit]:
        drives = [one for one in self._folders.drives.values() if self._connection.includes(one.id, one.name)]
        for drive, readers in self._sharing.drive_readers(drives):
            yield Unit(drive.id, drive.name, f"{_WEB}/folders/{drive.id}", readers)
        for folder in self._folders.top():
            yield Unit(folder.id, folder.name, f"{_WEB}/folders/{folder.id}")
        yield Unit(ROOT, ROOT_NAME, f"{_WEB}/my-drive")

    def _reach(self) -> Finding:
        self._folders.refresh()
        drives, folders = len(self._folders.drives), len(self._folders.top())
        return Finding("reach", True, f"{drives} shared drives, {folders} top-level folders")

    def _permissions_shown(self) -> Finding:
        # Google shows permissions only to accounts that may share a file; without them nobody may find it.
        files = next(self._client.files(FILES)).files[:_FILES_TO_TRY]
        hidden = len([file for file in files if not self._shows_readers(file)])
        if hidden:
            advice = "make the account an editor of what it reads, or a content manager of its shared drives"
            return Finding("permissions", False, f"{hidden} of {len(files)} files hide who may read them; {advice}")
        return Finding("permissions", True, "files show who may read them")

    def _shows_readers(self, file: DriveFile) -> bool:
        try:
            return bool(self._sharing.permissions(file, self._folders.locate(file)))
        except (AccessDenied, NotFound, RequestRejected):
            return False
