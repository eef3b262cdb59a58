"""How far a unit has been read: what the cursor keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self, cast

from connectors.contract import Cursor
from connectors.notion.client import moment
from connectors.notion.objects import Kind, Ref, digest
from connectors.notion.search_listing import OVERLAP, Entry

SETTLED = timedelta(minutes=2)
"""Notion's times are whole minutes: a page can change once more within the minute in which it was read.
https://developers.notion.com/changelog/last-edited-time-is-now-rounded-to-the-nearest-minute"""

_CHILD = 8
"""Characters of the mark of an object below a container."""


@dataclass(slots=True)
class Progress:
    """Read progress of one unit; `passed` moves it on.

    `since` is the newest edit seen anywhere in the connection. `read` maps the id of each object that was
    edited shortly before to when that was, in seconds since 1970, so that it is not looked at again before it
    changes. `places` holds by the id of each page or database with others below it a short mark of what those
    show of it, and one of each of those that stand directly below, all in one string. `files` holds a short mark
    of each file, by the id of its page and its key.
    """

    since: datetime | None = None
    read: dict[str, int] = field(default_factory=dict)
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: list[Ref] = field(default_factory=list)
    """What is still to be read because of a container above it, the next one last."""
    whole: bool = False
    """Whether everything is being read, what search does not name included; an interrupted read goes on so."""
    held_back: bool = False
    """Whether an object was passed over for now: the next read begins before it."""
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
            places={own: (str(mark), str(below)) for own, (mark, below) in (cursor.get("places") or {}).items()},
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
            "places": {own: list(place) for own, place in self.places.items()},
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

    def looked_at(self, entry: Entry, asked_at: datetime) -> None:
        """An object was read, or found to be of another unit, after the server's clock showed `asked_at`."""
        if entry.edited + SETTLED <= asked_at:
            self.read[entry.ref.id] = int(entry.edited.timestamp())

    def passed(self, entry: Entry) -> None:
        """All objects up to this one are done with, but for those waiting."""
        if self.held_back:
            return
        if self.since is None or entry.edited > self.since:
            self.since = entry.edited

    def placed(self, own: str, mark: str, below: Sequence[Ref]) -> list[Ref]:
        """A container was read; returns what of the objects `below` it must be read too.

        All of them if they show something of it that is no longer so, else those that did not stand there before.
        """
        before, children = self.places.pop(own, ("", ""))
        marks = {ref: digest(ref.id)[:_CHILD] for ref in below}
        if below:
            self.places[own] = (mark, "".join(marks.values()))
        if self.whole or before != mark:
            return list(below)
        known = {children[at : at + _CHILD] for at in range(0, len(children), _CHILD)}
        return [ref for ref in below if marks[ref] not in known]

    def with_files(self, own: str, marks: dict[str, str]) -> None:
        if marks:
            self.files[own] = marks
        else:
            self.files.pop(own, None)
