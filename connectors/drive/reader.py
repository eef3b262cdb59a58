"""The ways to read a unit: all of it, what the changes feed tells, what was modified since, a window.

Source: https://developers.google.com/workspace/drive/api/guides/manage-changes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Window
from connectors.drive.client import DriveClient, Refused, quoted, rfc3339
from connectors.drive.cursor import Changes, Listing, Modified
from connectors.drive.documents import Documents
from connectors.drive.fingerprints import file_mark, folder_marks
from connectors.drive.folders import ALL_FOLDERS, ROOT, Folders, Place
from connectors.drive.payloads import FOLDER, Change, ChangePage, File
from connectors.drive.walk import FILES, NOT_TRASHED, TRASHED, Batch, Learn, Position, Walk, flat
from connectors.errors import AccessDenied, InvalidResponse, NotFound, RequestRejected
from connectors.model import Unit

_OVERLAP = timedelta(minutes=2)
"""How far a listing by modification time reaches back: servers' clocks and search indexes lag."""


class CursorRefused(Exception):
    """Drive does not accept the changes token any more."""


@dataclass(frozen=True, slots=True)
class UnitReads:
    """Reads one unit. `includes` says whether the connection takes in the unit of a place."""

    client: DriveClient
    folders: Folders
    documents: Documents
    unit: Unit
    includes: Callable[[Place], bool]

    def everything(self, interrupted: Listing | None) -> Iterator[Item]:
        """A full read, from the beginning or from where it was interrupted."""
        reached = interrupted or self._beginning()
        marks: dict[str, str] = {}
        seen: list[str] = []
        for batch in self._batches(reached.position, self._learner(marks)):
            placed = list(self._inside(batch.files))
            yield from self.documents.of(placed)
            if reached.token is None:
                seen += [file_mark(file) for file, _ in placed if _is_recent(file, reached.modified)]
            reached = replace(reached, position=batch.position, incomplete=reached.incomplete or batch.incomplete)
            yield Checkpoint(reached.as_json())
        end = Modified(reached.modified, tuple(seen)) if reached.token is None else Changes(reached.token, marks)
        yield Checkpoint(end.as_json(), complete=interrupted is None and not reached.incomplete)

    def changes(self, state: Changes) -> Iterator[Item]:
        """What the changes feed tells. Raises CursorRefused, before the first item."""
        marks = dict(state.folders)
        token = state.token
        for page in self._change_pages(token):
            yield from self._changed(page.changes, marks)
            token = page.next_page_token or page.new_start_page_token or token
            yield Checkpoint(Changes(token, marks).as_json())

    def modified(self, state: Modified) -> Iterator[Item]:
        """What was modified since, where there is no changes feed. Deletions wait for a full read."""
        bound, seen_before = _since(state.moment), set(state.seen)
        newest, recent = state.moment, []
        for page in self.client.files(FILES + _between(bound, None), drive=self._drive):
            files = [file for file in page.files if _is_recent(file, state.moment)]
            placed = list(self._inside(files))
            yield from self.documents.of(one for one in placed if file_mark(one[0]) not in seen_before)
            recent += [file for file, _ in placed]
            newest = max((time for file in files if (time := file.modified_time)), default=newest)
            newest = max(newest, state.moment) if newest and state.moment else newest
            yield Checkpoint(state.as_json())
        moment = min(newest, datetime.now(UTC)) if newest else None
        seen = tuple(file_mark(file) for file in recent if _is_recent(file, moment))
        yield Checkpoint(Modified(moment, seen).as_json())

    def window(self, window: Window) -> Iterator[Item]:
        """What was last modified inside a window."""
        for batch in self._batches(Position(), self.folders.learn, _between(window.since, window.until)):
            files = (file for file in batch.files if file.modified_time in window)
            yield from self.documents.of(self._inside(files))
        yield Checkpoint({})

    def listed(self) -> Iterator[ListingEntry]:
        """Every file of the unit. Raises InvalidResponse where Drive did not search everything."""
        for batch in self._batches(Position(), self.folders.learn):
            if batch.incomplete:
                raise InvalidResponse(
                    f"files of {self.unit.name}", "Drive did not search everything (incompleteSearch)"
                )
            yield from (self.documents.listed(file, place) for file, place in self._inside(batch.files))

    @property
    def _drive(self) -> str | None:
        return self.unit.id if self.unit.id in self.folders.drives else None

    def _beginning(self) -> Listing:
        """Where later reads continue: asked before the listing, so that nothing falls between the two."""
        token = self.client.start_page_token(self._drive)
        if token is not None:
            return Listing(token, None, Position())
        newest = self.client.last_modified(FILES, drive=self._drive)
        return Listing(None, min(newest, datetime.now(UTC)) if newest else None, Position())

    def _batches(self, start: Position, learn: Learn, bounds: str = "") -> Iterator[Batch]:
        if self._drive:
            for page in self.client.files(ALL_FOLDERS, drive=self._drive):
                for folder in page.files:
                    learn(folder)
                yield Batch((), start, bool(page.incomplete_search))
        if self._drive or self.unit.id == ROOT:
            yield from flat(self.client, FILES + bounds, self._drive, start)
            return
        learn(self.client.file(self.unit.id))
        query = NOT_TRASHED + (f" and (mimeType = '{FOLDER}' or ({bounds.removeprefix(' and ')}))" if bounds else "")
        yield from Walk(self.client, learn, query).below(self.unit.id, start)

    def _inside(self, files: Iterable[File]) -> Iterator[tuple[File, Place]]:
        """Those of `files` that belong to this unit."""
        for file in files:
            if not file.trashed and not file.is_folder and (place := self.folders.place(file)).unit == self.unit.id:
                yield file, place

    def _learner(self, marks: dict[str, str]) -> Learn:
        def learn(folder: File) -> None:
            self.folders.learn(folder)
            marks.update([folder_marks(folder)])

        return learn

    def _change_pages(self, token: str) -> Iterator[ChangePage]:
        pages = self.client.changes(token, self._drive)
        try:
            first = next(pages)
        except (NotFound, RequestRejected) as error:
            raise CursorRefused from error
        except Refused as error:
            if not error.reason.startswith("pageToken"):
                raise
            raise CursorRefused from error
        yield first
        yield from pages

    def _changed(self, changes: Iterable[Change], marks: dict[str, str]) -> Iterator[Item]:
        """Items for one page of changes; what is said last of a file holds."""
        said = {change.file_id: change for change in changes if change.file_id}
        latest = {file_id: self._now(file_id, change) for file_id, change in said.items()}
        folders = [file for file in latest.values() if file and file.is_folder]
        for folder in folders:
            self.folders.learn(folder)
        for file_id in (file_id for file_id, file in latest.items() if file is None):
            self.folders.forget(file_id)
            yield Deleted(self.documents.document_id(file_id))
        for folder in folders:
            yield from self._below_changed(folder, marks)
        yield from self._looked_at(file for file in latest.values() if file and not file.is_folder)

    def _now(self, file_id: str, change: Change) -> File | None:
        """The file that a change is about; None if it is gone.

        One that is gone from a shared drive is asked for: a move out of the drive looks like a removal.
        """
        if change.file and not change.removed:
            return change.file
        if change.removed and not self._drive:
            return None
        try:
            return self.client.file(file_id)
        except (NotFound, AccessDenied):
            return None

    def _below_changed(self, folder: File, marks: dict[str, str]) -> Iterator[Item]:
        """Files below a folder that was renamed, moved, shared anew or trashed: the feed names only the folder."""
        if self.unit.id == ROOT:
            return
        key, mark = folder_marks(folder)
        place = self.folders.place(folder)
        if not folder.trashed and self.unit.id in (place.unit, folder.id):
            if marks.get(key) == mark:
                return
            marks[key] = mark
        elif marks.pop(key, None) is None or (not folder.trashed and self.includes(place)):
            return
        query = TRASHED if folder.trashed else NOT_TRASHED
        drive = folder.drive_id if folder.drive_id in self.folders.drives else None
        for batch in Walk(self.client, self._learner(marks), query, drive).below(folder.id):
            yield from self._looked_at(batch.files)

    def _looked_at(self, files: Iterable[File]) -> Iterator[Item]:
        """Items for files of any unit: nothing for those that another unit reads."""
        placed = []
        for file in files:
            place = self.folders.place(file)
            if file.trashed or not self.includes(place):
                yield Deleted(self.documents.document_id(file.id))
            elif place.unit == self.unit.id:
                placed.append((file, place))
        yield from self.documents.of(placed)


def _is_recent(file: File, moment: datetime | None) -> bool:
    """Whether a file will be listed again by what was modified since `moment`."""
    return moment is None or file.modified_time is None or file.modified_time >= moment - _OVERLAP


def _since(moment: datetime | None) -> datetime | None:
    return moment - _OVERLAP if moment else None


def _between(since: datetime | None, until: datetime | None) -> str:
    bounds = f" and modifiedTime >= {quoted(rfc3339(since))}" if since else ""
    return bounds + (f" and modifiedTime < {quoted(rfc3339(until))}" if until else "")
