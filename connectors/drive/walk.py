"""Everything in a unit, in an order that an interrupted read can continue in.

Folders are listed one at a time: Drive's answers to `'a' in parents or 'b' in parents` leave out whole
folders without a sign (https://github.com/rclone/rclone/issues/9810).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from connectors.drive.client import DriveClient, quoted, rfc3339
from connectors.drive.payloads import FOLDER, File, FilePage

NOT_TRASHED = "trashed = false"
TRASHED = "trashed = true"
FILES = f"mimeType != '{FOLDER}' and {NOT_TRASHED}"
FILES_PER_BATCH = 100
"""A killed read repeats at most these."""

Learn = Callable[[File], None]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a listing has come: inside the last folder of `path`, past what was created before `created`.

    Folders of one parent are visited by id, and the files of a folder before the folders in it. Creation
    times never change, so a file cannot slip behind a position.
    """

    path: tuple[str, ...] = ()
    created: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {"path": list(self.path), "created": rfc3339(self.created) if self.created else None}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        created = values["created"]
        return cls(tuple(values["path"]), datetime.fromisoformat(created) if created else None)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files listed one after the other, and the position after it."""

    files: tuple[File, ...]
    position: Position
    incomplete: bool


def flat(client: DriveClient, query: str, drive: str | None, start: Position) -> Iterator[Batch]:
    """All files of a shared drive, or of all that the account itself sees."""
    bound = _created_since(start.created)
    return _batches(client.files(query + bound, drive=drive), start)


@dataclass(frozen=True, slots=True)
class Walk:
    """What is listed in each folder: what fits `query`, of a shared `drive` or of what the account itself sees.

    `learn` is told of each folder on the way.
    """

    client: DriveClient
    learn: Learn
    query: str = NOT_TRASHED
    drive: str | None = None

    def below(self, folder: str, start: Position = Position()) -> Iterator[Batch]:
        """All files in a folder and the folders in it."""
        return self._below((folder,), start if start.path else None)

    def _below(self, path: tuple[str, ...], start: Position | None) -> Iterator[Batch]:
        inside = f"{quoted(path[-1])} in parents and {self.query}"
        below: set[str] = set()
        if start:
            below.update(self._folders(inside))
        if start and len(start.path) > len(path):
            following = start.path[len(path)]
            below = {folder for folder in below if folder >= following}
        else:
            following = None
            position = Position(path, start.created if start else None)
            for batch in _batches(self._files(inside + _created_since(position.created)), position):
                for folder in (file for file in batch.files if file.is_folder):
                    self.learn(folder)
                    below.add(folder.id)
                files = tuple(file for file in batch.files if not file.is_folder)
                yield Batch(files, batch.position, batch.incomplete)
        for child in sorted(below.difference(path)):
            yield from self._below((*path, child), start if child == following else None)

    def _folders(self, inside: str) -> Iterator[str]:
        for page in self._files(f"{inside} and mimeType = '{FOLDER}'"):
            for folder in page.files:
                self.learn(folder)
                yield folder.id

    def _files(self, query: str) -> Iterator[FilePage]:
        return self.client.files(query, drive=self.drive)


def _batches(pages: Iterator[FilePage], start: Position) -> Iterator[Batch]:
    """Parts of pages with their positions. A page that is not by creation time (Drive gives up sorting for
    accounts with about a million files) has no positions to continue from, nor has any after it."""
    latest, in_order = start.created, True
    for page in pages:
        in_order = in_order and _ascends(latest, page.files)
        for first in range(0, max(len(page.files), 1), FILES_PER_BATCH):
            files = page.files[first : first + FILES_PER_BATCH]
            latest = files[-1].created_time if in_order and files else latest
            reached = Position(start.path, latest if in_order else start.created)
            yield Batch(files, reached, bool(page.incomplete_search))


def _ascends(earliest: datetime | None, files: Sequence[File]) -> bool:
    times = [file.created_time for file in files]
    known = [time for time in (earliest, *times) if time is not None]
    return None not in times and known == sorted(known)


def _created_since(moment: datetime | None) -> str:
    return f" and createdTime >= {quoted(rfc3339(moment))}" if moment else ""
