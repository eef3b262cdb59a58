"""Reading a unit by what the changes feed tells.

Source: https://developers.google.com/workspace/drive/api/guides/manage-changes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic

from connectors.contract import Checkpoint, Deleted, Failed
from connectors.drive.changes_feed import ChangesFeed
from connectors.drive.client import DriveClient
from connectors.drive.cursor import ChangesCursor
from connectors.drive.documents import DriveDocuments, FileItem, Found, ReadFiles, ReadItem
from connectors.drive.fingerprints import ends_fingerprint, folder_fingerprint, folder_key
from connectors.drive.folders import ROOT, FileLocation, FolderTree, LocatedFile
from connectors.drive.part_table import CHANGES
from connectors.drive.payloads import ChangePage, DriveChange, DriveFile
from connectors.drive.query import NOT_TRASHED, TRASHED
from connectors.drive.walk import FolderWalk, Learn
from connectors.errors import (
    AccessDenied,
    AlreadyFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.isolation import Isolation
from connectors.model import Unit

FolderFingerprints = MutableMapping[str, str]
"""As in `ChangesCursor.folders`."""


class CursorRefused(Exception):
    """Drive does not accept the changes token any more."""


class FeedFailing(Exception):
    """The changes feed is in trouble, and the rest of Drive is not."""


@dataclass(slots=True)
class ChangesReader(Generic[Found]):
    """Reads the changes of one unit, once. `includes` says whether the connection takes in the unit of a location.

    Where the source gets into trouble on the way, the rest of what has changed is hidden without being asked for: that
    it has changed is known, and who may read it now is not. The trouble is raised after that.
    """

    client: DriveClient
    feed: ChangesFeed
    folders: FolderTree
    documents: DriveDocuments
    unit: Unit
    includes: Callable[[FileLocation], bool]
    read_files: ReadFiles[Found]
    # One of its own, since an answer about a file's metadata or folders says nothing of a server that gives no content.
    locating: Isolation
    _trouble: SourceError | None = field(default=None, init=False)
    _ends: dict[str, str] = field(default_factory=dict, init=False)

    def read(self, cursor: ChangesCursor) -> Iterator[ReadItem[Found]]:
        """What has changed since. Raises CursorRefused and FeedFailing, before the first item."""
        fingerprints, self._ends = dict(cursor.folders), dict(cursor.ends)
        token = cursor.token
        for page in self._pages(token):
            yield from self._read_page(page.changes, fingerprints)
            token = page.next_page_token or page.new_start_page_token or token
            if self._trouble is None:
                if page.next_page_token is None:
                    yield from self.documents.parts.states()
                yield Checkpoint(ChangesCursor(token, fingerprints, cursor.restrictions, self._ends).as_json())
        if self._trouble:
            raise self._trouble

    def _pages(self, token: str) -> Iterator[ChangePage]:
        """Raises CursorRefused also where the server has no feed any more, or not for these credentials."""
        pages = self.feed.pages(self.unit.id, token, self._drive)
        try:
            first = next(pages)
        except (NotFound, RequestRejected, AccessDenied) as error:
            raise CursorRefused from error
        except (RateLimited, AlreadyFailed):
            raise
        except TransientError as error:
            self.client.about()  # raises where Drive as a whole is in trouble
            raise FeedFailing(str(error)) from error
        self.documents.parts.tell(CHANGES, None)
        yield first
        yield from pages

    def _read_page(self, changes: Iterable[DriveChange], fingerprints: FolderFingerprints) -> Iterator[FileItem[Found]]:
        """Items for one page of changes. Of several changes of a file the last one counts."""
        latest = {change.file_id: change for change in changes if change.file_id}
        folders, files = list[DriveFile](), list[DriveFile]()
        for file_id, change in latest.items():
            try:
                current = self._current_file(file_id, change, fingerprints)
            except SourceError as error:
                self._trouble = error
                continue  # a folder; the next read begins before it
            if current is None:
                self.folders.forget(file_id)
                yield Deleted(self.documents.document_id(file_id))
            elif isinstance(current, Failed):
                yield current
            else:
                (folders if current.is_folder else files).append(current)
        # All folders before any file is located: a page may hold the move of both.
        for folder in folders:
            self.folders.learn(folder)
        try:
            for folder in folders:
                yield from self._read_below(folder, fingerprints)
        except SourceError as error:
            self._trouble = error
        yield from self._read_files(files)

    def _current_file(
        self, file_id: str, change: DriveChange, fingerprints: FolderFingerprints
    ) -> DriveFile | Failed | None:
        """The file that a change is about; None if it is gone."""
        if change.file and not change.removed:
            return change.file
        # One that is gone from a shared drive is asked for: a move out of the drive looks like a removal.
        if change.removed and not self._drive:
            return None
        if folder_key(file_id) in fingerprints:
            # Not in isolation: to pass over a folder would be to pass over all that is below it.
            return self._ask(file_id)
        document_id = self.documents.document_id(file_id)
        if self._trouble is None:
            try:
                found = self.locating.attempt(document_id, "", lambda: self._ask(file_id))
            except SourceError as error:
                self._trouble = error
            else:
                return replace(found, hides=True) if isinstance(found, Failed) else found
        return Failed(document_id, "", str(self._trouble), hides=True)

    def _ask(self, file_id: str) -> DriveFile | None:
        try:
            return self.client.file(file_id)
        except (NotFound, AccessDenied):
            return None

    def _read_below(self, folder: DriveFile, fingerprints: FolderFingerprints) -> Iterator[FileItem[Found]]:
        """Files below a folder that was renamed, moved, shared or trashed: the feed names only the folder."""
        if self.unit.id == ROOT:
            return  # its files lie in no folder
        before = fingerprints.pop(folder_key(folder.id), None)
        location = self.folders.locate(folder)
        if not folder.trashed and self.unit.id in (location.unit, folder.id):
            now = fingerprints[folder_key(folder.id)] = folder_fingerprint(folder)
            if not self._has_other_ends(folder) and now == before:
                return  # only touched
        elif before is None:
            return  # it was not in this unit either
        elif not folder.trashed and self.includes(location):
            return  # it has moved, and the unit that it is in now reads what is below it
        query = TRASHED if folder.trashed else NOT_TRASHED
        drive = self.folders.drive_id(folder.drive_id or "")
        walk = FolderWalk(self.client, folder_learner(self.folders, fingerprints), query, drive)
        for batch in walk.below(folder.id):
            yield from self._read_files(batch.files)

    def _has_other_ends(self, folder: DriveFile) -> bool:
        """Whether permissions of a folder end at other times than when it was last asked for them. Where metadata tell
        no permissions, as in shared drives, the feed names a folder that got an end, and nothing in it is another.

        Raises SourceError: the next read begins before this folder.
        """
        if folder.permissions is not None:
            return False  # they are part of its fingerprint
        key = folder_key(folder.id)
        before = self._ends.pop(key, "")
        try:
            now = ends_fingerprint(self.client.permissions(folder.id))
        except (NotFound, AccessDenied):
            return True  # each file below tells its own
        if now:
            self._ends[key] = now
        return now != before

    def _read_files(self, files: Iterable[DriveFile]) -> Iterator[FileItem[Found]]:
        """Items for files of any unit: nothing for those that another unit reads."""
        located = list[LocatedFile]()
        for file in files:
            found = None if file.trashed else self._locate(file)
            if isinstance(found, Failed):
                yield found
            elif found is None or not self.includes(found.location):
                yield Deleted(self.documents.document_id(file.id))
            elif found.location.unit == self.unit.id:
                located.append(found)
        yield from self._read_located(located)

    def _locate(self, file: DriveFile) -> LocatedFile | Failed:
        try:
            return self.documents.locate(file, self.locating)
        except SourceError as error:
            self._trouble = error
            return self.documents.unread(file, error)

    def _read_located(self, located: Sequence[LocatedFile]) -> Iterator[FileItem[Found]]:
        done = 0
        if self._trouble is None:
            try:
                for item in self.read_files(located):
                    done += 1
                    yield item
            except SourceError as error:
                self._trouble = error
        if self._trouble:
            yield from (self.documents.unread(one.file, self._trouble) for one in located[done:])

    @property
    def _drive(self) -> str | None:
        return self.folders.drive_id(self.unit.id)


def folder_learner(folders: FolderTree, fingerprints: FolderFingerprints) -> Learn:
    """Notes each folder in the tree, and its fingerprint for the changes to come."""

    def learn(folder: DriveFile) -> None:
        folders.learn(folder)
        fingerprints[folder_key(folder.id)] = folder_fingerprint(folder)

    return learn
