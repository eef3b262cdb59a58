"""Where a team's issues are read on: at a time, or after a page of a read that was interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.contract import Cursor


@dataclass(frozen=True, slots=True)
class LinearCursor:
    """`since` is where the read that is under way began, None for a full one; `after` the end of its last page.

    `until` is where the next read will begin: the newest change that was known when this one began. What changes
    while pages are read is later than that, and so is found the next time.
    """

    since: datetime | None = None
    until: datetime | None = None
    after: str = ""

    @classmethod
    def parse(cls, cursor: Cursor | None) -> LinearCursor:
        kept = cursor or {}
        return cls(_time(kept.get("since")), _time(kept.get("until")), kept.get("after") or "")

    def dump(self) -> Cursor:
        return {"since": _text(self.since), "until": _text(self.until), "after": self.after}

    def end(self) -> LinearCursor:
        """The cursor of a read that is through."""
        return LinearCursor(since=self.until)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
