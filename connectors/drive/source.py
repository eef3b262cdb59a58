"""Google Drive as a connector: its units, and the reads of each.

A full read lists a unit; later ones follow Drive's changes feed, which tells of edits, moves, renames,
permissions and removals. A server without that feed is asked for what was modified since, and then only a
full read notices the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import httpx

from connectors.contract import Cursor, Deleted, Failed, Finding, Item, ListingEntry, Membership, Window
from connectors.drive.client import DriveClient
from connectors.drive.cursor import Changes, Modified, parsed
from connectors.drive.directory import Directory
from connectors.drive.documents import Documents
from connectors.drive.folders import ROOT, ROOT_NAME, Folders, Place
from connectors.drive.payloads import File
from connectors.drive.push_channels import Kept, renewed
from connectors.drive.reader import CursorRefused, UnitReads
from connectors.drive.settings import DriveConnection
from connectors.drive.walk import FILES
from connectors.errors import AccessDenied, AuthenticationFailed, NotFound, RateLimited, SourceError
from connectors.model import Unit

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
        self._directory = Directory(connection, url, transport) if url else None
        self._folders = Folders(self._client)
        self._documents = Documents(self._client, self._folders, connection.id)

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
        """Try the credentials, and whether the account is told who may read its files."""
        try:
            user = self._client.about().user
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        findings = [Finding("credentials", True, f"signed in as {user.email_address or user.display_name}")]
        try:
            return [*findings, self._reach(), self._sharing()]
        except SourceError as error:
            return [*findings, Finding("reach", False, str(error))]

    def units(self) -> Iterator[Unit]:
        """Shared drives, folders at the top of what the account sees, and `root` for what lies in none."""
        self._folders.refresh()
        yield from (unit for unit in self._all_units() if self._connection.includes(unit.id, unit.name))

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """See `connectors.contract.Connector`. A cursor that Drive no longer accepts leads to a full read."""
        reads = self._reads(unit)
        state = parsed(cursor) if cursor else None
        if window is not None:
            return reads.window(window)
        if isinstance(state, Changes):
            return _changes_or_everything(reads, state)
        return reads.modified(state) if isinstance(state, Modified) else reads.everything(state)

    def renew_channels(self, kept: Kept, now: datetime) -> Kept:
        """See `connectors.webhooks.PushChannels` and `connectors.drive.push_channels`."""
        if not self._connection.webhook_url:
            return {}
        return renewed(self._client, self._connection, [drive.id for drive in self._folders.drives.values()], kept, now)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        """See `connectors.contract.Connector`."""
        return self._reads(unit).listed()

    def unit_of(self, document_id: str) -> str | None:
        """See `connectors.contract.Connector`."""
        if not document_id.startswith(self._documents.document_id("")):
            return None
        try:
            file = self._client.file(self._documents.file_id(document_id))
        except (NotFound, AccessDenied):
            return None
        place = self._folders.place(file)
        return None if file.trashed or file.is_folder or not self._includes(place) else place.unit

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `connectors.contract.Connector`. A document that moved carries the unit that it is in now."""
        others: list[Item] = []
        yield from self._documents.of(self._found(document_ids, others))
        yield from others

    def memberships(self) -> Iterator[Membership]:
        """Members of groups, where the connection names Google's Directory API; Drive does not tell them.

        A person's domain is known without: see `connectors.drive.access.domain_groups`.
        """
        return self._directory.memberships() if self._directory else iter(())

    def _found(self, document_ids: Sequence[str], others: list[Item]) -> Iterator[tuple[File, Place]]:
        """Files that are still there; items for the rest go to `others`."""
        for document_id in document_ids:
            try:
                file = self._client.file(self._documents.file_id(document_id))
            except (RateLimited, AuthenticationFailed):
                raise
            except NotFound:
                others.append(Deleted(document_id))
                continue
            except SourceError as error:
                others.append(Failed(document_id, "", str(error)))
                continue
            place = self._folders.place(file)
            if file.trashed or file.is_folder or not self._includes(place):
                others.append(Deleted(document_id))
            else:
                yield file, place

    def _reads(self, unit: Unit) -> UnitReads:
        return UnitReads(self._client, self._folders, self._documents, unit, self._includes)

    def _includes(self, place: Place) -> bool:
        return self._connection.includes(place.unit, place.unit_name)

    def _all_units(self) -> Iterator[Unit]:
        for drive in self._folders.drives.values():
            if self._connection.includes(drive.id, drive.name):
                yield Unit(drive.id, drive.name, f"{_WEB}/folders/{drive.id}", self._documents.members(drive))
        for folder in self._folders.top():
            yield Unit(folder.id, folder.name, f"{_WEB}/folders/{folder.id}")
        yield Unit(ROOT, ROOT_NAME, f"{_WEB}/my-drive")

    def _reach(self) -> Finding:
        self._folders.refresh()
        drives, folders = len(self._folders.drives), len(self._folders.top())
        return Finding("reach", True, f"{drives} shared drives, {folders} top-level folders")

    def _sharing(self) -> Finding:
        """Permissions are told only to those who may share a file; without them nobody may find it."""
        files = next(self._client.files(FILES)).files[:_FILES_TO_TRY]
        untold = len([file for file in files if not self._documents.permissions(file)])
        if untold:
            advice = "make the account an editor of what it reads, or a content manager of its shared drives"
            return Finding("permissions", False, f"{untold} of {len(files)} files hide who may read them; {advice}")
        return Finding("permissions", True, "files tell who may read them")


def _changes_or_everything(reads: UnitReads, state: Changes) -> Iterator[Item]:
    try:
        yield from reads.changes(state)
    except CursorRefused:
        yield from reads.everything(None)
