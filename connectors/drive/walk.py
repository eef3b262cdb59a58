"""Everything in a unit, in an order that an interrupted read can continue in.

Folders are listed one at a time: Drive's answers to `'a' in parents or 'b' in parents` leave out whole
folders without a sign (https://github.com/rclone/rclone/issues/9810).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeAlias

from connectors.contract import Cursor
from connectors.drive.client import DriveClient
from connectors.drive.payloads import FOLDER, DriveFile, FilePage
from connectors.drive.query import NOT_TRASHED, both, created_since, inside, rfc3339

FILES_PER_BATCH = 100
"""A killed read repeats at most these."""

Learn: TypeAlias = Callable[[DriveFile], None]
"""Called with each folder on the way."""
FolderPath: TypeAlias = tuple[str, ...]
"""Ids of folders, from the outermost to the nearest."""


@dataclass(frozen=True, slots=True)
class WalkPosition:
    """How far a listing has come: inside the last folder of `path`, past what was created before `created`.

    Creation times never change, so a file cannot slip behind a position.
    """

    path: FolderPath = ()
    created: datetime | None = None

    def as_json(self) -> Cursor:
        return {"path": list(self.path), "created": rfc3339(self.created) if self.created else None}

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        created = values["created"]
        return cls(tuple(values["path"]), datetime.fromisoformat(created) if created else None)


@dataclass(frozen=True, slots=True)
class FileBatch:
    """Files listed one after the other, and the position after them."""

    files: tuple[DriveFile, ...]
    position: WalkPosition
    incomplete: bool


def list_all(client: DriveClient, query: str, drive: str | None, start: WalkPosition) -> Iterator[FileBatch]:
    """All files of a shared drive, or of all that the account itself sees, whatever folder they are in."""
    return _batches(client.files(both(query, created_since(start.created)), drive=drive), start)


@dataclass(frozen=True, slots=True)
class FolderWalk:
    """What is listed in each folder: what fits `query`, of a shared `drive` or of what the account itself sees."""

    client: DriveClient
    learn: Learn
    query: str = NOT_TRASHED
    drive: str | None = None

    def below(self, folder: str, start: WalkPosition = WalkPosition()) -> Iterator[FileBatch]:
        """All files in a folder and the folders in it, from a position on.

        The files of a folder come before the folders in it, and those by id: paths ascend, and whether a folder
        is behind the position is whether its path is less.
        """
        pending: list[FolderPath] = [(folder,)]
        while pending:
            path = pending.pop()
            folders = self._folders_behind(path, start)
            if path >= start.path:  # less is a folder above the position, whose own files are behind it
                for batch in self._batches_in(path, start):
                    folders.update(file.id for file in batch.files if file.is_folder)
                    files = tuple(file for file in batch.files if not file.is_folder)
                    yield FileBatch(files, batch.position, batch.incomplete)
            pending += _paths_ahead(path, folders, start)

    def _folders_behind(self, path: FolderPath, start: WalkPosition) -> set[str]:
        """Folders in one that the walk had entered before it was interrupted: it may have come past them there."""
        if path > start.path:
            return set()
        pages = self.client.files(both(inside(path[-1]), self.query, f"mimeType = '{FOLDER}'"), drive=self.drive)
        return {folder.id for page in pages for folder in self._learn_folders(page.files)}

    def _batches_in(self, path: FolderPath, start: WalkPosition) -> Iterator[FileBatch]:
        position = start if path == start.path else WalkPosition(path)
        query = both(inside(path[-1]), self.query, created_since(position.created))
        for batch in _batches(self.client.files(query, drive=self.drive), position):
            self._learn_folders(batch.files)
            yield batch

    def _learn_folders(self, files: Sequence[DriveFile]) -> list[DriveFile]:
        folders = [file for file in files if file.is_folder]
        for folder in folders:
            self.learn(folder)
        return folders


def _paths_ahead(path: FolderPath, folders: set[str], start: WalkPosition) -> list[FolderPath]:
    """Paths of the folders in one, without those behind `start` and those of a circle; the next one last."""
    reached = start.path[: len(path) + 1]
    paths = [(*path, folder) for folder in folders.difference(path)]
    return sorted((one for one in paths if one >= reached), reverse=True)


def _batches(pages: Iterator[FilePage], start: WalkPosition) -> Iterator[FileBatch]:
    """Parts of pages with their positions.

    A page that is not by creation time has no positions to continue from, nor has any after it.
    """
    latest, in_order = start.created, True
    for page in pages:
        # Drive gives up sorting for accounts with about a million files.
        in_order = in_order and _ascends(latest, page.files)
        for first in range(0, max(len(page.files), 1), FILES_PER_BATCH):
            files = page.files[first : first + FILES_PER_BATCH]
            latest = files[-1].created_time if in_order and files else latest
            position = WalkPosition(start.path, latest if in_order else start.created)
            yield FileBatch(files, position, bool(page.incomplete_search))


def _ascends(earliest: datetime | None, files: Sequence[DriveFile]) -> bool:
    times = [file.created_time for file in files]
    known = [time for time in (earliest, *times) if time is not None]
    return None not in times and known == sorted(known)
