"""How far a repository has been read: what the cursor keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from connectors.github.client import Blob, moment
from connectors.model import Cursor

OVERLAP = timedelta(minutes=5)
"""How far behind the newest object seen a read begins again: clocks differ, and listings lag behind."""
SETTLED = timedelta(seconds=2)
"""GitHub's times are whole seconds: an object can change once more within the second in which it was read."""

_PENDING = ""
"""Stands for the version of a file that is known, but must be emitted anew."""


@dataclass(slots=True)
class Progress:
    """Read progress of one repository; `read` changes it as it goes.

    `since` is the newest update seen. `recent` maps the number of each object updated within the overlap
    before it to that time, so that these are not read again. `files` maps each path to its blob's SHA.
    `readers` and `branch` stand in every document, or its URL: when they change, everything is emitted anew.
    """

    readers: tuple[str, ...]
    branch: str
    since: datetime | None = None
    recent: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    begin: datetime | None = None
    """From when this read asks for objects; fixed while it goes on."""

    @classmethod
    def resumed(cls, cursor: Cursor | None, readers: tuple[str, ...], branch: str) -> Self:
        if not cursor:
            return cls(readers, branch)
        files = dict(cursor.get("files") or {})
        if (tuple(cursor.get("readers") or ()), cursor.get("branch")) != (readers, branch):
            return cls(readers, branch, files=dict.fromkeys(files, _PENDING))
        since = moment(cursor.get("since"))
        return cls(
            readers,
            branch,
            since=since,
            begin=since - OVERLAP if since else None,
            recent=dict(cursor.get("recent") or {}),
            files=files,
            etag=cursor.get("etag"),
        )

    def cursor(self) -> Cursor:
        return {
            "readers": list(self.readers),
            "branch": self.branch,
            "since": self.since.isoformat() if self.since else None,
            "recent": dict(self.recent),
            "files": dict(self.files),
            "etag": self.etag,
        }

    def is_new(self, number: int, updated: datetime | None) -> bool:
        """Whether an object may have changed since it was emitted. A server that ignores `since` lists old ones."""
        if updated is None:
            return True
        if self.begin and updated < self.begin:
            return False
        return self.recent.get(str(number)) != updated.isoformat()

    def emitted(self, number: int, updated: datetime | None, read_at: datetime) -> None:
        if updated is None:
            return
        if updated + SETTLED <= read_at:
            self.recent[str(number)] = updated.isoformat()
        self.since = max(self.since or updated, updated)

    def forget_settled(self) -> None:
        """Drop from `recent` what the next read will not be told again."""
        if self.since:
            oldest = self.since - OVERLAP
            self.recent = {n: t for n, t in self.recent.items() if datetime.fromisoformat(t) >= oldest}

    def has(self, blob: Blob) -> bool:
        return self.files.get(blob.path) == version(blob)


def version(blob: Blob) -> str:
    """What the cursor keeps of a blob: enough of its SHA to tell versions of one path apart."""
    return f"{blob.mode[:3]}{blob.sha[:16]}"
