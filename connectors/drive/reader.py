"""The ways to read a unit by listing it: all of it, what was modified since, a window. `changes` has the other way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic

from connectors.contract import Checkpoint, Failed, ListingEntry, Window
from connectors.drive.changes import folder_learner
from connectors.drive.client import DriveClient
from connectors.drive.cursor import ChangesCursor, ListingCursor, ModifiedCursor
from connectors.drive.documents import DriveDocuments, Found, ReadFiles, ReadItem
from connectors.drive.fingerprints import file_fingerprint
from connectors.drive.folders import ROOT, FolderTree, LocatedFile
from connectors.drive.part_table import CHANGES, CONTENT
from connectors.drive.payloads import FOLDER, DriveFile
from connectors.drive.query import FILES, FOLDERS, NOT_TRASHED, OWN, both, modified_between
from connectors.drive.walk import FileBatch, FolderWalk, Learn, WalkPosition, list_all
from connectors.errors import REFUSALS, InvalidResponse, RateLimited, TransientError
from connectors.isolation import Isolation
from connectors.model import Unit

_OVERLAP = timedelta(minutes=2)
"""How far a listing by modification time reaches back: servers' clocks and search indexes lag."""


@dataclass(frozen=True, slots=True)
class DriveUnitReader(Generic[Found]):
    """Reads one unit, once."""

    client: DriveClient
    folders: FolderTree
    documents: DriveDocuments
    unit: Unit
    restrictions: str
    """Fingerprint of what the unit's shared drive restricts."""
    read_files: ReadFiles[Found]
    # One of its own, since an answer about a file's metadata or folders says nothing of a server that gives no content.
    locating: Isolation

    def read_all(self, interrupted: ListingCursor | None) -> Iterator[ReadItem[Found]]:
        """A full read, from the beginning or from where it was interrupted."""
        cursor = interrupted or self._start()
        fingerprints: dict[str, str] = {}
        seen: list[str] = []
        for batch in self._batches(cursor.position, folder_learner(self.folders, fingerprints)):
            located, failed = self._locate(batch.files)
            yield from failed
            yield from self.read_files(located)
            if self.documents.parts.is_closed(CONTENT):
                yield from self.documents.parts.states()
                yield Checkpoint(cursor.as_json())  # to go on from here once contents are given
                return
            if cursor.token is None:
                seen += [file_fingerprint(one.file) for one in located if _is_recent(one.file, cursor.modified)]
            cursor = replace(cursor, position=batch.position, incomplete=cursor.incomplete or batch.incomplete)
            yield Checkpoint(cursor.as_json())
        following = (
            ModifiedCursor(cursor.modified, tuple(seen))
            if cursor.token is None
            else ChangesCursor(cursor.token, fingerprints, cursor.restrictions)
        )
        yield from self.documents.parts.states()
        yield Checkpoint(following.as_json(), complete=interrupted is None and not cursor.incomplete)

    def read_modified(self, cursor: ModifiedCursor) -> Iterator[ReadItem[Found]]:
        """What was modified since, where there is no changes feed. Deletions wait for a full read."""
        known = set(cursor.seen)
        newest, recent = cursor.moment, list[DriveFile]()
        since = cursor.moment - _OVERLAP if cursor.moment else None
        for page in self.client.files(
            both(FILES, OWN if self.folders.own_unit else "", modified_between(since, None)), drive=self._drive
        ):
            files: list[DriveFile] = [file for file in page.files if _is_recent(file, cursor.moment)]
            located, failed = self._locate(files)
            yield from failed
            yield from self.read_files(one for one in located if file_fingerprint(one.file) not in known)
            recent += [one.file for one in located]
            newest = max((time for time in (newest, *(file.modified_time for file in files)) if time), default=None)
            yield Checkpoint(cursor.as_json())
        moment = _not_after_now(newest)
        seen = tuple(file_fingerprint(file) for file in recent if _is_recent(file, moment))
        yield from self.documents.parts.states()
        yield Checkpoint(ModifiedCursor(moment, seen).as_json())

    def read_window(self, window: Window) -> Iterator[ReadItem[Found]]:
        """What was last modified inside a window."""
        condition = modified_between(window.since, window.until)
        for batch in self._batches(WalkPosition(), self.folders.learn, condition):
            located, failed = self._locate(file for file in batch.files if file.modified_time in window)
            yield from failed
            yield from self.read_files(located)
        yield Checkpoint({})

    def entries(self) -> Iterator[ListingEntry]:
        """Every file of the unit. Raises InvalidResponse where Drive did not search everything."""
        for batch in self._batches(WalkPosition(), self.folders.learn):
            if batch.incomplete:
                raise InvalidResponse(
                    f"files of {self.unit.name}", "Drive did not search everything (incompleteSearch)"
                )
            # Not in isolation: a listing names every file, or it is none.
            located = (LocatedFile(file, self.folders.locate(file)) for file in _present(batch.files))
            yield from (self.documents.entry(one) for one in located if one.location.unit == self.unit.id)

    @property
    def _own(self) -> str:
        """What a file has to be where only the account's own are read."""
        return OWN if self.folders.own_unit else ""

    @property
    def _drive(self) -> str | None:
        return self.folders.drive_id(self.unit.id)

    def has_feed(self) -> bool:
        """Whether there is a changes feed; the unit's parts are told."""
        return self._open_feed() is not None

    def _open_feed(self) -> str | None:
        """The token by which changes are followed from now on; None where there is no feed, or not for these
        credentials, or where it alone is in trouble."""
        try:
            return self.documents.parts.ask(CHANGES, partial(self.client.open_feed, self._drive))
        except REFUSALS:
            return None
        except RateLimited:
            raise
        except TransientError:
            self.client.about()  # raises where Drive as a whole is in trouble
            return None

    def _start(self) -> ListingCursor:
        """Where later reads continue: asked before the listing, so that nothing falls between the two."""
        token = self._open_feed()
        modified = None if token is not None else self.client.last_modified(FILES, drive=self._drive)
        return ListingCursor(token, _not_after_now(modified), WalkPosition(), restrictions=self.restrictions)

    def _batches(self, start: WalkPosition, learn: Learn, condition: str = "") -> Iterator[FileBatch]:
        """All files of the unit, and of others with them, that meet a condition."""
        if self._drive or self._own:
            yield from self._list_folders(start, learn)
        if self._drive or self._own or self.unit.id == ROOT:
            yield from list_all(self.client, both(FILES, self._own, condition), self._drive, start)
            return
        learn(self.client.file(self.unit.id))
        # Folders are listed whatever the condition: files below them may meet it.
        query = both(NOT_TRASHED, f"(mimeType = '{FOLDER}' or ({condition}))" if condition else "")
        yield from FolderWalk(self.client, learn, query).below(self.unit.id, start)

    def _list_folders(self, start: WalkPosition, learn: Learn) -> Iterator[FileBatch]:
        """All folders of a drive, so that none has to be asked for alone: batches without a file."""
        for page in self.client.files(FOLDERS, drive=self._drive):
            for folder in page.files:
                learn(folder)
            yield FileBatch((), start, bool(page.incomplete_search))

    def _locate(self, files: Iterable[DriveFile]) -> tuple[list[LocatedFile], list[Failed]]:
        """Those of `files` that belong to this unit, and those of which nobody can say."""
        found = [self.documents.locate(file, self.locating) for file in _present(files)]
        located = [one for one in found if isinstance(one, LocatedFile) and one.location.unit == self.unit.id]
        return located, [one for one in found if isinstance(one, Failed)]


def _present(files: Iterable[DriveFile]) -> Iterator[DriveFile]:
    return (file for file in files if not file.trashed and not file.is_folder)


def _is_recent(file: DriveFile, moment: datetime | None) -> bool:
    """Whether a file will be listed again by what was modified since `moment`."""
    return moment is None or file.modified_time is None or file.modified_time >= moment - _OVERLAP


def _not_after_now(moment: datetime | None) -> datetime | None:
    # A file may bear a time to come: to continue there would miss what changes until then.
    return min(moment, datetime.now(UTC)) if moment else None
