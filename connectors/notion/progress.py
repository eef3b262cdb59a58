"""How far a unit has been read: what the cursor keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self, cast

from connectors.model import Cursor
from connectors.notion.client import moment
from connectors.notion.listing import OVERLAP, Entry
from connectors.notion.nodes import Kind, Ref

SETTLED = timedelta(minutes=2)
"""Notion's times are whole minutes: a page can change once more within the minute in which it was read.
https://developers.notion.com/changelog/last-edited-time-is-now-rounded-to-the-nearest-minute"""


@dataclass(slots=True)
class Progress:
    """Read progress of one unit; `passed` moves it on.

    `since` is the newest edit seen anywhere in the connection. `read` maps the id of each object of the unit
    that was edited shortly before to when that was, in seconds since 1970, so that it is not read again before
    it changes. `places` holds a short mark of each page or database with others below it, by id: what those show
    of it. `files` holds a short mark of each file, by the id of its page and its key.
    """

    since: datetime | None = None
    read: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: list[Ref] = field(default_factory=list)
    """What is still to be read because of a container above it, the next one last."""
    whole: bool = False
    """Whether everything is being read, what search does not name included; an interrupted read goes on so."""
    begin: datetime | None = None
    """From when this read asks for objects; fixed while it goes on."""

    @classmethod
    def resumed(cls, cursor: Cursor | None) -> Self:
        since = moment((cursor or {}).get("since"))
        if not cursor or since is None:
            return cls(whole=not cursor)
        return cls(
            since=since,
            read=dict(cursor.get("read") or {}),
            places=dict(cursor.get("places") or {}),
            files=dict(cursor.get("files") or {}),
            waiting=[Ref(cast("Kind", kind), str(own)) for kind, own in cursor.get("waiting") or ()],
            whole=bool(cursor.get("whole")),
            begin=since - OVERLAP,
        )

    def cursor(self) -> Cursor:
        since = self.since.isoformat() if self.since else None
        # What was edited earlier does not come again unless it changes.
        oldest = (self.since - OVERLAP).timestamp() if self.since else 0
        return {
            "since": since,
            "read": {own: edited for own, edited in self.read.items() if edited >= oldest},
            "places": dict(self.places),
            "files": {page: dict(marks) for page, marks in self.files.items()},
            "waiting": [list(ref) for ref in self.waiting],
            "whole": self.whole,
        }

    def is_due(self, entry: Entry) -> bool:
        """Whether an object may have changed since it was emitted, or may be new."""
        known = self.read.get(entry.ref.id)
        if known is None and self.begin and entry.edited < self.begin:
            return False  # of another unit, or read before
        return known != int(entry.edited.timestamp())

    def emitted(self, entry: Entry, asked_at: datetime) -> None:
        """An object was read, after the server's clock showed `asked_at`."""
        if entry.edited + SETTLED <= asked_at:
            self.read[entry.ref.id] = int(entry.edited.timestamp())

    def passed(self, entry: Entry) -> None:
        """All objects up to this one are done with, but for those waiting."""
        if self.since is None or entry.edited > self.since:
            self.since = entry.edited

    def placed(self, own: str, mark: str) -> bool:
        """A container was read; whether what stands below it must be read too, for it shows more than it did."""
        before = self.places.get(own)
        self.places[own] = mark
        return self.whole or before != mark

    def with_files(self, own: str, marks: dict[str, str]) -> None:
        if marks:
            self.files[own] = marks
        else:
            self.files.pop(own, None)
