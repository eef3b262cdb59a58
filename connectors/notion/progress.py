"""How far a unit has been read: what the cursor keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from connectors.model import Cursor
from connectors.notion.client import moment
from connectors.notion.listing import Entry

OVERLAP = timedelta(hours=1)
"""How far behind the newest edit seen new objects are looked for: search shows some late."""
SETTLED = timedelta(minutes=2)
"""Notion's times are whole minutes: a page can change once more within the minute in which it was read.
https://developers.notion.com/changelog/last-edited-time-is-now-rounded-to-the-nearest-minute"""


@dataclass(slots=True)
class Progress:
    """Read progress of one unit; `passed` moves it on.

    `since` is the newest edit seen anywhere in the connection. `read` maps the id of each object of the unit
    to when it was edited, in seconds since 1970, so that it is not read again before it changes.
    """

    since: datetime | None = None
    read: dict[str, int] = field(default_factory=dict)
    whole: bool = False
    """Whether everything is being read, what search does not name included; an interrupted read goes on so."""
    begin: datetime | None = None
    """From when this read asks for objects; fixed while it goes on."""

    @classmethod
    def resumed(cls, cursor: Cursor | None) -> Self:
        since = moment((cursor or {}).get("since"))
        if not cursor or since is None:
            return cls(whole=not cursor)
        read = dict(cursor.get("read") or {})
        return cls(since=since, read=read, whole=bool(cursor.get("whole")), begin=since - OVERLAP)

    def cursor(self) -> Cursor:
        since = self.since.isoformat() if self.since else None
        return {"since": since, "read": dict(self.read), "whole": self.whole}

    def is_due(self, entry: Entry) -> bool:
        """Whether an object may have changed since it was emitted, or may be new."""
        known = self.read.get(entry.ref.id)
        if known is None and self.begin and entry.edited < self.begin:
            return False  # of another unit
        return known != int(entry.edited.timestamp())

    def emitted(self, entry: Entry, asked_at: datetime) -> None:
        """An object was read, after the server's clock showed `asked_at`."""
        if entry.edited + SETTLED <= asked_at:
            self.read[entry.ref.id] = int(entry.edited.timestamp())

    def passed(self, entry: Entry) -> None:
        """All objects up to this one are done with."""
        if self.since is None or entry.edited > self.since:
            self.since = entry.edited
